//! What the engine needs of whoever runs it: the clock, randomness, and someone to tell. It keeps no state of its own,
//! so that a run can be repeated for as long as a host is up.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::report::count;

/// Tells the time of day, on any thread.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Whoever runs the engine: a command, a daemon, a test.
pub trait Host {
    /// Returns the time of day, which ages on disk are counted with.
    fn now(&self) -> SystemTime;

    /// Returns a clock that tells the same as [`now`](Self::now), for whatever may end on another thread: unless overridden,
    /// the system's.
    fn clock(&self) -> Clock {
        Arc::new(SystemTime::now)
    }

    /// Returns a random duration from zero to the given one: the jitter of a pause before a retry.
    fn jitter(&self, most: Duration) -> Duration;

    /// Says whether the run should end as soon as it can without harm. Asked between two files.
    fn interrupted(&self) -> bool {
        false
    }

    /// Is told what the run is doing.
    fn event(&self, event: Event<'_>) {
        let _ = event;
    }

    /// Returns the umask that a child process gets, where it is not this process's own.
    fn child_umask(&self) -> Option<u32> {
        None
    }
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Another run holds the lock.
    Waiting,
    /// So many secrets are about to be fetched, and perhaps more that are yet to be listed.
    Gathering {
        /// Distinct requests, of all sources.
        secrets: usize,
    },
    /// One source has listed what is imported of it.
    Listed {
        /// The source.
        source: &'a str,
        /// How many secrets are to be fetched besides those that were known.
        secrets: usize,
    },
    /// One source has answered some requests for good.
    Fetched {
        /// The source.
        source: &'a str,
        /// How many.
        secrets: usize,
    },
    /// So many files are being written.
    Publishing {
        /// Files of the new set.
        files: usize,
    },
    /// The command of `[on-change]` runs.
    Notifying,
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("waiting for another run to end"),
            Self::Gathering { secrets } => write!(f, "fetching {}", count(*secrets, "secret")),
            Self::Listed { source, secrets } => {
                write!(f, "listed {} of `{source}`", count(*secrets, "secret"))
            }
            Self::Fetched { source, secrets } => {
                write!(f, "fetched {} from `{source}`", count(*secrets, "secret"))
            }
            Self::Publishing { files } => write!(f, "publishing {}", count(*files, "file")),
            Self::Notifying => f.write_str("running the on-change command"),
        }
    }
}
