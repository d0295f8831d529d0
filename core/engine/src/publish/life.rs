//! How long a secret of a generation is good, as its note says. Never a value.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secretdir_provider::Held;
use serde::{Deserialize, Serialize};

/// The last second of the year 9999, since 1970: later dates have no usual text (RFC 3339).
pub(crate) const LAST_DATE: u64 = 253_402_300_799;

/// By how many seconds a clock may be behind the one that a secret was made by.
const CLOCKS: u64 = 60;

/// By how much the end of one and the same version may differ from one answer to the next: stores count in seconds.
const SAME: u64 = 2;

/// The life of one secret. Moments are in seconds since 1970 (UTC).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Life {
    pub(crate) obtained_at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) valid_until: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) renew_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lease: Option<String>,
    /// Of the lines that the file is made by. Only where the secret was made for us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lines: Option<u64>,
    /// What the file was when it was published. Only where the secret was made for us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<FileStamp>,
}

/// What a file was when it was published: whoever writes to it changes its time, which nobody can set back. An owner who maps the file
/// into memory may write without that, on a filesystem in memory: then it is carried over as its owner wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FileStamp {
    /// There was none: the secret lacked what it is made of, and it is optional.
    LeftOut,
    There {
        inode: u64,
        changed_at: i64,
        nanoseconds: i64,
    },
}

impl FileStamp {
    pub(crate) fn of(found: &Metadata) -> Self {
        Self::There { inode: found.ino(), changed_at: found.ctime(), nanoseconds: found.ctime_nsec() }
    }
}

impl Life {
    /// Notes what is held, and by which lines, if it was made for us.
    pub(crate) fn of(held: &Held, lines: Option<u64>) -> Self {
        Self {
            obtained_at: seconds(held.obtained_at()),
            // An end that no calendar has is none.
            valid_until: held.valid_until().map(seconds).filter(|end| *end <= LAST_DATE),
            renew_at: held.renew_at().map(seconds).filter(|moment| *moment <= LAST_DATE),
            lease: held.lease().map(str::to_owned),
            lines,
            file: None,
        }
    }

    /// Returns what a source is told of it.
    pub(crate) fn held(&self, revision: Option<&str>, origin: Option<&str>) -> Held {
        let mut held = Held::since(date(self.obtained_at));
        if let Some(end) = self.valid_until {
            held = held.with_valid_until(date(end));
        }
        if let Some(moment) = self.renew_at {
            held = held.with_renew_at(date(moment));
        }
        if let Some(lease) = &self.lease {
            held = held.with_lease(lease);
        }
        if let Some(revision) = revision {
            held = held.with_revision(revision);
        }
        match origin {
            Some(origin) => held.with_origin(origin),
            None => held,
        }
    }

    /// Says whether another answer speaks of the same life: it ends at about the same moment.
    pub(super) fn is_about(&self, other: &Self) -> bool {
        let same_end = match (self.valid_until, other.valid_until) {
            (Some(end), Some(other)) => end.abs_diff(other) <= SAME,
            (None, None) => true,
            _ => false,
        };
        same_end && self.lines.is_none() && other.lines.is_none()
    }

    /// Says whether it should have been renewed before, or was noted by a clock that was wrong.
    pub(super) fn is_overdue(&self, now: SystemTime) -> bool {
        self.renew_at.is_some_and(|moment| date(moment) <= now) || self.obtained_at > seconds(now) + CLOCKS
    }

    /// Says whether less than a third of it is left, and nobody has promised another one at its end.
    pub(super) fn is_short(&self, now: SystemTime) -> bool {
        let Some(end) = self.valid_until else { return false };
        if self.renew_at.is_some_and(|moment| moment >= end) {
            return false;
        }
        end.saturating_sub(seconds(now)) < end.saturating_sub(self.obtained_at) / 3
    }
}

fn seconds(date: SystemTime) -> u64 {
    date.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

/// A moment that is noted; one that no clock can show is the beginning, which is over.
pub(crate) fn date(seconds: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
}
