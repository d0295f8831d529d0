//! The validity of a secret of a generation, as its note has it. Never a value.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secretdir_provider::Held;
use serde::{Deserialize, Serialize};

/// The last second of the year 9999, in seconds since 1970. Later dates have no RFC 3339 text.
pub(crate) const LAST_DATE: u64 = 253_402_300_799;

/// The tolerated difference in seconds between the clocks of now and of when the secret was obtained.
const CLOCKS: u64 = 60;

/// The tolerated difference in seconds between two answers about the end of one version, because stores round to seconds.
const SAME: u64 = 2;

/// The validity of one secret. Dates are in seconds since 1970 (UTC).
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
    /// The fingerprint of the lines that the file is made by. Only for a secret that was issued for this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lines: Option<u64>,
    /// The stamp of the published file. Only for a secret that was issued for this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<FileStamp>,
}

/// The identity of a file when it was published. Writing to the file changes its ctime, which cannot be set back. There is
/// one exception: on a filesystem in memory, its owner can map the file and write without changing the ctime. Then the file
/// is carried over as its owner changed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FileStamp {
    /// There was no file, because its optional secret or field was not found.
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
    /// Makes the entry of a held secret. `lines` is the fingerprint if it was issued for this host.
    pub(crate) fn of(held: &Held, lines: Option<u64>) -> Self {
        Self {
            obtained_at: seconds(held.obtained_at()),
            // An impossible date counts as no date.
            valid_until: held.valid_until().map(seconds).filter(|end| *end <= LAST_DATE),
            renew_at: held.renew_at().map(seconds).filter(|moment| *moment <= LAST_DATE),
            lease: held.lease().map(str::to_owned),
            lines,
            file: None,
        }
    }

    /// Returns the validity in the form that a source gets.
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

    /// Returns whether another answer has the same validity: it ends at about the same time.
    pub(super) fn is_about(&self, other: &Self) -> bool {
        let same_end = match (self.valid_until, other.valid_until) {
            (Some(end), Some(other)) => end.abs_diff(other) <= SAME,
            (None, None) => true,
            _ => false,
        };
        same_end && self.lines.is_none() && other.lines.is_none()
    }

    /// Returns whether the renewal is overdue, or the clock was wrong when the secret was noted.
    pub(super) fn is_overdue(&self, now: SystemTime) -> bool {
        self.renew_at.is_some_and(|moment| date(moment) <= now) || self.obtained_at > seconds(now) + CLOCKS
    }

    /// Returns whether less than a third of the validity is left, and its source has not scheduled the renewal for its end.
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

/// Converts a noted date. A date that no clock can show becomes 1970, which has passed.
pub(crate) fn date(seconds: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
}
