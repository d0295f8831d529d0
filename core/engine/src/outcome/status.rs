//! What is published, for people and monitors.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use atomicdir::{GenerationStatus, Listing, Pin, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::Location;
use crate::publish::life::LAST_DATE;
use crate::publish::manifest::{Manifest, ManifestEntry, Publisher};
use crate::publish::publication::Notification;

/// What is published at a link. Never a value.
#[derive(Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct StatusReport {
    /// The link, as text: what is not UTF-8 in it is replaced.
    pub path: String,
    /// The generation that it names; none before the first run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<GenerationReport>,
    /// Generations that were superseded, and are still there.
    pub superseded: Vec<SupersededReport>,
    /// What a run that did not finish left behind, or one under way has made so far.
    pub unfinished_ids: Vec<String>,
    /// When a run last succeeded, in seconds since 1970 (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<u64>,
    /// How long ago that was, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success_age_seconds: Option<u64>,
    /// When `secretdir watch` makes its next turn, if it runs for this link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch: Option<WatchReport>,
    /// How much of this the user may see who asks: without the right to read the state directory, not the sources of the
    /// files, and not when a run last succeeded.
    pub view: StatusView,
}

/// The `secretdir watch` that keeps a set current.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct WatchReport {
    /// When the next turn comes, if nothing happens before, in seconds since 1970 (UTC); absent if only a change of a file causes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_turn_at: Option<u64>,
    /// How old the last success may be, in seconds; absent without a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_stale_seconds: Option<u64>,
}

impl WatchReport {
    pub(crate) fn new(next_turn_at: Option<SystemTime>, max_stale: Option<Duration>) -> Self {
        Self {
            next_turn_at: next_turn_at.map(seconds),
            max_stale_seconds: max_stale.map(|longest| longest.as_secs()),
        }
    }

    /// Returns what the keeper says of itself.
    pub(crate) fn to_record(self) -> Vec<u8> {
        // Numbers always serialise.
        serde_json::to_vec(&self).unwrap_or_default()
    }

    /// Nothing counts of a record with a date that no calendar has.
    fn parse(record: &[u8]) -> Option<Self> {
        let report: Self = serde_json::from_slice(record).ok()?;
        Some(report).filter(|report| report.next_turn_at.is_none_or(|at| at <= LAST_DATE))
    }
}

/// How much of what is published a user may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StatusView {
    /// All of it: the user publishes it, or is root.
    Full,
    /// What a reader may see.
    Reader,
}

/// The current generation.
#[derive(Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct GenerationReport {
    /// What tells it from others.
    pub id: String,
    /// When it was published, in seconds since 1970 (UTC).
    pub published_at: u64,
    /// How long ago that was, in seconds.
    pub age_seconds: u64,
    /// Whether a reader has it pinned.
    pub pinned: bool,
    /// What has become of the command of `[on-change]` that there was when it was published; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_change: Option<Notification>,
    /// The first moment at which one of its secrets is not good any more, in seconds since 1970 (UTC); absent if none has an end that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<u64>,
    /// The configuration that published it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Publisher>,
    /// Its files, in the order of their names, as far as the user who asks may list them.
    pub files: Vec<FileReport>,
    /// Whether these are all.
    pub listing: ListingReport,
}

/// Whether all files of a generation are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ListingReport {
    /// All of them.
    Complete,
    /// The user who asks may not list the generation, or a directory in it.
    Partial,
}

/// One published file.
#[derive(Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FileReport {
    /// Its name.
    pub name: String,
    /// Its permission bits, in octal.
    pub mode: String,
    /// Its owner, by number.
    pub owner: u32,
    /// Its group, by number.
    pub group: u32,
    /// The secrets that it is made of; none where nothing is known of that.
    pub secrets: Vec<SecretReport>,
}

/// A secret that a file is made of.
#[derive(Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SecretReport {
    /// The source that it came from.
    pub source: String,
    /// Its name there.
    pub secret_name: String,
    /// The store's own name for the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Where the answer came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Until when it is good, in seconds since 1970 (UTC), if the store has said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<u64>,
    /// From when on it is renewed or replaced, in seconds since 1970 (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_at: Option<u64>,
    /// The lease that it has at the store: the end of its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
}

/// A generation that was superseded.
#[derive(Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SupersededReport {
    /// What tells it from others.
    pub id: String,
    /// When it was superseded, in seconds since 1970 (UTC).
    pub superseded_at: u64,
    /// Whether a reader has it pinned.
    pub pinned: bool,
}

impl StatusReport {
    /// Looks at what is published. Takes no lock, fetches nothing and changes nothing.
    ///
    /// # Errors
    ///
    /// A link that is not ours, and whatever may not be read.
    pub fn of(location: &Location, now: SystemTime) -> Result<Self, atomicdir::Error> {
        Ok(Self::new(location.link(), location.status()?, now))
    }

    fn new(path: &Path, status: atomicdir::Status, now: SystemTime) -> Self {
        let superseded = status.superseded.iter().map(|old| SupersededReport {
            id: old.id.to_string(),
            superseded_at: seconds(old.since),
            pinned: old.pin == Pin::Pinned,
        });
        Self {
            path: path.display().to_string(),
            superseded: superseded.collect(),
            generation: status.current.map(|current| GenerationReport::new(current, now)),
            unfinished_ids: status.unfinished.iter().map(ToString::to_string).collect(),
            last_success_at: status.last_success.map(seconds),
            last_success_age_seconds: status.last_success.map(|time| age(time, now)),
            watch: status.keeper.as_deref().and_then(WatchReport::parse),
            view: if status.view == View::Full { StatusView::Full } else { StatusView::Reader },
        }
    }
}

impl GenerationReport {
    fn new(current: GenerationStatus, now: SystemTime) -> Self {
        let noted = current.note.as_deref().and_then(Manifest::parse);
        let on_change = noted.as_ref().map(|manifest| Notification::noted(manifest.on_change));
        let mut manifest = noted.unwrap_or_default();
        let valid_until = manifest.valid_until().map(seconds);
        let file = |file: atomicdir::FileStatus| {
            let secrets = manifest.files.remove(&file.name).unwrap_or_default();
            FileReport::new(file, secrets)
        };
        Self {
            id: current.id.to_string(),
            published_at: seconds(current.since),
            age_seconds: age(current.since, now),
            pinned: current.pin == Pin::Pinned,
            files: current.files.into_iter().map(file).collect(),
            listing: current.listing.into(),
            on_change,
            valid_until,
            publisher: manifest.publisher,
        }
    }
}

impl From<Listing> for ListingReport {
    fn from(listing: Listing) -> Self {
        match listing {
            Listing::Complete => Self::Complete,
            Listing::Partial => Self::Partial,
        }
    }
}

impl FileReport {
    fn new(file: atomicdir::FileStatus, secrets: Vec<ManifestEntry>) -> Self {
        let mode = format!("{:04o}", file.mode);
        let secrets = secrets.into_iter().map(SecretReport::from).collect();
        Self { name: file.name, mode, owner: file.user, group: file.group, secrets }
    }
}

impl From<ManifestEntry> for SecretReport {
    fn from(entry: ManifestEntry) -> Self {
        let ManifestEntry { source, secret, revision, origin, version: _, life } = entry;
        let (valid_until, renew_at, lease) =
            life.map_or_else(Default::default, |life| (life.valid_until, life.renew_at, life.lease));
        let lease = lease.map(|lease| shortened(&lease));
        Self { source, secret_name: secret, revision, origin, valid_until, renew_at, lease }
    }
}

/// Shows the end of a lease's name: enough to find it, as what comes before is the path.
fn shortened(lease: &str) -> String {
    let length = lease.chars().count();
    if length <= 12 {
        return lease.to_owned();
    }
    let end: String = lease.chars().skip(length - 8).collect();
    format!("…{end}")
}

pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

fn age(time: SystemTime, now: SystemTime) -> u64 {
    now.duration_since(time).unwrap_or(Duration::ZERO).as_secs()
}
