//! What the engine needs of whoever runs it: the clock, randomness, and someone to tell. It keeps no state of its own,
//! so that a run can be repeated for as long as a host is up.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use secretdir_provider::{Clock, Jitter};

use crate::report::count;

/// Whoever runs the engine: a command, a daemon, a test.
pub trait Host {
    /// Returns the clock that deadlines are counted with, and whose date ages on disk are. It should go on while the machine
    /// sleeps: a deadline that has passed meanwhile has passed.
    fn clock(&self) -> Clock;

    /// Returns where random pauses come from.
    fn jitter(&self) -> Jitter;

    /// Waits for so long. By default a timer of tokio does.
    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(tokio::time::sleep(pause))
    }

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
    /// More secrets have arrived. There is one such event for each few of them: it is for a progress bar.
    Arrived {
        /// How many more.
        secrets: usize,
    },
    /// All else is answered. Now the stores are to make something, such as a database user: whoever ends the run from here on should let
    /// it give that back.
    Issuing,
    /// One source has answered all its requests for good.
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
    /// The command of `[verify]` looks at the new set.
    Verifying,
    /// What `[on-change]` says is done.
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
            Self::Arrived { secrets } => write!(f, "{} arrived", count(*secrets, "secret")),
            Self::Fetched { source, secrets } => {
                write!(f, "fetched {} from `{source}`", count(*secrets, "secret"))
            }
            Self::Issuing => f.write_str("asking for secrets that are made for this host"),
            Self::Publishing { files } => write!(f, "publishing {}", count(*files, "file")),
            Self::Verifying => f.write_str("running the verify command"),
            Self::Notifying => f.write_str("running the on-change command"),
        }
    }
}
