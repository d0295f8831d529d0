//! The clock, and the two times that are kept on disk.
//!
//! Both are modification times, so that they need no file of their own and any tool can show them:
//!
//! | time | kept on | set by |
//! |---|---|---|
//! | a generation was published or, later, superseded | its directory | steps 6 and 9 |
//! | a run last succeeded | the lock | [`Locked::record_success`](crate::Locked::record_success) |
//!
//! Ages are differences of these times and of what the clock says now. Nothing else here reads a clock: waiting for a lock
//! counts the time that was spent asleep.

use std::fmt;
use std::fs::Metadata;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{Timespec, Timestamps, UTIME_OMIT, futimens};

/// Tells the time of day. Asked at the moment that counts, not before a wait.
///
/// Shared by all copies of the [`Options`](crate::Options) that it was given to.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// Takes a function that tells the time of day, and may be asked from any thread.
    pub(crate) fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Returns the time of day.
    pub(crate) fn now(&self) -> SystemTime {
        (self.0)()
    }
}

impl Default for Clock {
    /// The system's clock.
    fn default() -> Self {
        Self::new(SystemTime::now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The time of a lock under which no run has succeeded yet.
///
/// A real success can have this time only if the clock is at 1970, and then counts as none.
pub(crate) const NEVER: SystemTime = UNIX_EPOCH;

/// Sets the modification time, and leaves the access time alone.
pub(crate) fn set_modified(file: impl AsFd, time: SystemTime) -> rustix::io::Result<()> {
    let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    futimens(file, &Timestamps { last_access: omit, last_modification: timespec(time) })
}

/// Returns a time in the form that system calls take. A time before 1970 becomes 1970.
fn timespec(time: SystemTime) -> Timespec {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let tv_sec = since.as_secs().try_into().unwrap_or(i64::MAX);
    Timespec { tv_sec, tv_nsec: since.subsec_nanos().into() }
}

/// Says whether a generation superseded at its modification time has stayed long enough.
///
/// A time in the future counts as due: the clock was wrong then or is wrong now, and waiting for it may take years.
pub(crate) fn is_due(found: &Metadata, retain: Duration, now: SystemTime) -> bool {
    let superseded = found.modified().unwrap_or(UNIX_EPOCH);
    now.duration_since(superseded).map_or(true, |age| age >= retain)
}

/// Returns the modification time of a system call's answer. A time that `SystemTime` cannot hold becomes 1970.
pub(crate) fn modified(found: &rustix::fs::Stat) -> SystemTime {
    let nanoseconds = u32::try_from(found.st_mtime_nsec).unwrap_or_default();
    let since = u64::try_from(found.st_mtime).map(|seconds| Duration::new(seconds, nanoseconds));
    since.ok().and_then(|since| UNIX_EPOCH.checked_add(since)).unwrap_or(UNIX_EPOCH)
}
