//! The interface between the engine and the program that runs it: a clock, randomness, and a listener for events. The
//! engine keeps no state of its own, so runs can be repeated as long as the host lives.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use secretdir_provider::{Clock, Jitter};

use crate::report::count;

/// The program that runs the engine: a command, a daemon, or a test.
pub trait Host {
    /// Returns the clock for deadlines, whose date is also compared with dates on disk. It should continue while the
    /// machine sleeps, so that a deadline passes meanwhile.
    fn clock(&self) -> Clock;

    /// Returns the source of random pauses.
    fn jitter(&self) -> Jitter;

    /// Waits for this long. The default uses a timer of tokio.
    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(tokio::time::sleep(pause))
    }

    /// Returns whether the run should end as soon as it safely can. The run asks between two files.
    fn interrupted(&self) -> bool {
        false
    }

    /// Handles an event of the run. The default ignores it.
    fn event(&self, event: Event<'_>) {
        let _ = event;
    }

    /// Returns the umask for child processes, if it is not that of this process.
    fn child_umask(&self) -> Option<u32> {
        None
    }
}

/// A step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Another run holds the lock.
    Waiting,
    /// Secrets are about to be fetched. Listings may add more.
    Gathering {
        /// The number of distinct requests to all sources.
        secrets: usize,
    },
    /// A source has listed the secrets for imports.
    Listed {
        /// The name of the source.
        source: &'a str,
        /// The number of secrets to fetch in addition to those of the plan.
        secrets: usize,
    },
    /// More secrets have arrived. A progress bar can use it: there is one such event for every few secrets.
    Arrived {
        /// The number of new secrets.
        secrets: usize,
    },
    /// All other requests have been answered. Now stores issue something, such as a database user. If you end the run from
    /// here on, give it time to revoke that.
    Issuing,
    /// A source has answered all its requests for the last time.
    Fetched {
        /// The name of the source.
        source: &'a str,
        /// The number of secrets.
        secrets: usize,
    },
    /// Files are being written.
    Publishing {
        /// The number of files in the new set.
        files: usize,
    },
    /// The command of `[verify]` runs on the new set.
    Verifying,
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
            Self::Arrived { secrets } => write!(f, "{} arrived", count(*secrets, "secret")),
            Self::Fetched { source, secrets } => {
                write!(f, "fetched {} from `{source}`", count(*secrets, "secret"))
            }
            Self::Issuing => f.write_str("requesting secrets that are issued for this host"),
            Self::Publishing { files } => write!(f, "publishing {}", count(*files, "file")),
            Self::Verifying => f.write_str("running the verify command"),
            Self::Notifying => f.write_str("running the on-change command"),
        }
    }
}
