//! How long the server says that something lives. It may say anything, so what is beyond all sense is cut where it arrives: a moment that
//! no clock can show would end a run after the server has made something.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longer than anything lives that is made, and far from where adding it to a clock overflows: a hundred years.
pub(crate) const LONGEST: Duration = Duration::from_secs(36_525 * 24 * 60 * 60);

/// Returns a duration in seconds that the server has named.
pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count).min(LONGEST)
}

/// Returns a moment that the server has named, in seconds since 1970.
pub(crate) fn moment(count: u64, now: SystemTime) -> SystemTime {
    let latest = now.checked_add(LONGEST).unwrap_or(now);
    let named = UNIX_EPOCH.checked_add(Duration::from_secs(count));
    named.map_or(latest, |named| named.min(latest))
}
