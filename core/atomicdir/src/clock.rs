//! The clock, and the two times that are kept on disk.
//!
//! Both are modification times. So they need no file of their own, and any tool can show them:
//!
//! | time | kept on | set by |
//! |---|---|---|
//! | a generation was published or, later, superseded | its directory | steps 6 and 9 |
//! | a run last succeeded | the lock | [`Locked::record_success`](crate::Locked::record_success) |
//!
//! An age is the current time of the clock minus one of these times. The crate reads no other clock: the wait for a
//! lock counts the time that it slept.

use std::fmt;
use std::fs::Metadata;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{Timespec, Timestamps, UTIME_OMIT, futimens};

/// A function that returns the time of day. It is called when the time is needed, not before a wait.
///
/// All clones of the [`Options`](crate::Options) share it.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// Takes a function that returns the time of day. Any thread may call it.
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

/// The modification time of a lock under which no run has succeeded yet.
///
/// A successful run has this time only if the clock is at 1970. It then counts as no success.
pub(crate) const NEVER: SystemTime = UNIX_EPOCH;

/// Sets the modification time, and keeps the access time.
pub(crate) fn set_modified(file: impl AsFd, time: SystemTime) -> rustix::io::Result<()> {
    let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    futimens(file, &Timestamps { last_access: omit, last_modification: timespec(time) })
}

/// Converts a time for system calls. A time before 1970 becomes 1970.
fn timespec(time: SystemTime) -> Timespec {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let tv_sec = since.as_secs().try_into().unwrap_or(i64::MAX);
    Timespec { tv_sec, tv_nsec: since.subsec_nanos().into() }
}

/// Returns whether a generation, which was superseded at its modification time, has stayed long enough.
///
/// A time in the future counts as due. The clock was or is wrong, and that time may be years away.
pub(crate) fn is_due(found: &Metadata, retain: Duration, now: SystemTime) -> bool {
    let superseded = found.modified().unwrap_or(UNIX_EPOCH);
    now.duration_since(superseded).map_or(true, |age| age >= retain)
}

/// Returns the modification time from the result of a system call. A time that `SystemTime` cannot hold becomes 1970.
pub(crate) fn modified(found: &rustix::fs::Stat) -> SystemTime {
    let nanoseconds = u32::try_from(found.st_mtime_nsec).unwrap_or_default();
    let since = u64::try_from(found.st_mtime).map(|seconds| Duration::new(seconds, nanoseconds));
    since.ok().and_then(|since| UNIX_EPOCH.checked_add(since)).unwrap_or(UNIX_EPOCH)
}
