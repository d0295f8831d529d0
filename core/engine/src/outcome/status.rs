//! The state of the published set, for people and monitoring.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use atomicdir::{GenerationStatus, Listing, Pin, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::Location;
use crate::publish::life::LAST_DATE;
use crate::publish::manifest::{Manifest, ManifestEntry, Publisher};
use crate::publish::publication::Notification;

/// The published set, without values.
#[derive(Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct StatusReport {
    /// The link, as text. Bytes that are not UTF-8 are replaced.
    pub path: String,
    /// The current generation. Absent before the first run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<GenerationReport>,
    /// The old generations that are still kept.
    pub superseded: Vec<SupersededReport>,
    /// Unfinished generations: from a run that was killed, or from one in progress.
    pub unfinished_ids: Vec<String>,
    /// When a run last succeeded, in seconds since 1970 (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<u64>,
    /// The age in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success_age_seconds: Option<u64>,
    /// The state of `secretdir watch`, if it runs for this link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch: Option<WatchReport>,
    /// How much of the set the current user may see. Without permission to read the state directory, sources and the last
    /// success are not shown.
    pub view: StatusView,
}

/// The `secretdir watch` that keeps a set current.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct WatchReport {
    /// Time of the next run, in seconds since 1970 (UTC). A change may cause an earlier one. Absent if only a change of a file
    /// causes a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_turn_at: Option<u64>,
    /// The maximum age of the last success in seconds. Absent without a limit.
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

    /// Returns the record that the keeper writes about itself.
    pub(crate) fn to_record(self) -> Vec<u8> {
        // Numbers can always be serialised.
        serde_json::to_vec(&self).unwrap_or_default()
    }

    /// Parses such a record. A record with an impossible date is ignored.
    fn parse(record: &[u8]) -> Option<Self> {
        let report: Self = serde_json::from_slice(record).ok()?;
        Some(report).filter(|report| report.next_turn_at.is_none_or(|at| at <= LAST_DATE))
    }
}

/// How much of the published set the current user may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StatusView {
    /// All of it: the current user publishes it, or is root.
    Full,
    /// Only what every reader may see.
    Reader,
}

/// The current generation.
#[derive(Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct GenerationReport {
    /// The ID of the generation.
    pub id: String,
    /// Time of publication, in seconds since 1970 (UTC).
    pub published_at: u64,
    /// The age in seconds.
    pub age_seconds: u64,
    /// Whether a reader has pinned it.
    pub pinned: bool,
    /// The state of the `[on-change]` of this generation. Absent if it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_change: Option<Notification>,
    /// The first expiry of its secrets, in seconds since 1970 (UTC). Absent if none is known to expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<u64>,
    /// The configuration that published it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Publisher>,
    /// Its files, in the order of their names, as far as the current user may list them.
    pub files: Vec<FileReport>,
    /// Whether the list of files is complete.
    pub listing: ListingReport,
}

/// Whether all files of a generation are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ListingReport {
    /// All of them.
    Complete,
    /// The current user may not list the generation, or a directory in it.
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
    /// The secrets of the file. Empty if they are not known.
    pub secrets: Vec<SecretReport>,
}

/// A secret in a file.
#[derive(Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SecretReport {
    /// The source of the secret.
    pub source: String,
    /// The name of the secret in the source.
    pub secret_name: String,
    /// The store's own name for the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The origin of the answer, such as a region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Its expiry in seconds since 1970 (UTC), if the store tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<u64>,
    /// Time after which it is renewed or replaced, in seconds since 1970 (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_at: Option<u64>,
    /// The end of the ID of its lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
}

/// A generation that was superseded.
#[derive(Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SupersededReport {
    /// The ID of the generation.
    pub id: String,
    /// When it was superseded, in seconds since 1970 (UTC).
    pub superseded_at: u64,
    /// Whether a reader has pinned it.
    pub pinned: bool,
}

impl StatusReport {
    /// Inspects the published set. It takes no lock, fetches nothing and changes nothing.
    ///
    /// # Errors
    ///
    /// The link was not made by secretdir, or permission to read something is denied.
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

/// Shortens a lease ID to its end, which suffices to find it. Its beginning is only the path.
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
