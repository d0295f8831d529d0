//! Limits the lives and times that the server names. It may name anything, so values beyond all sense are cut where
//! they arrive. A time that no clock can show would end a run after the server has made a secret.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A hundred years. It is longer than the life of any dynamic secret, and too short to overflow a clock.
pub(crate) const LONGEST: Duration = Duration::from_secs(36_525 * 24 * 60 * 60);

/// Returns a duration from the server, in seconds.
pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count).min(LONGEST)
}

/// Returns a time from the server, in seconds since 1970.
pub(crate) fn moment(count: u64, now: SystemTime) -> SystemTime {
    let latest = now.checked_add(LONGEST).unwrap_or(now);
    let named = UNIX_EPOCH.checked_add(Duration::from_secs(count));
    named.map_or(latest, |named| named.min(latest))
}
