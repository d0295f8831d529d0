//! What the loop needs of whoever runs it, besides what a run needs.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::news::{News, Standing};
use crate::host::Host;

/// Whoever runs `watch`.
pub trait WatchHost: Host {
    /// Returns what tells this machine from others of a fleet, and stays the same: its machine ID, or its name.
    fn machine(&self) -> String;

    /// Returns the host of turns that are made on a thread of their own. Publishing waits for disks, and [`wait`](Self::wait) goes on
    /// meanwhile. [`watch`](crate::watch()) must run in a runtime of tokio then, which has the thread.
    ///
    /// By default, turns are made on the thread of the loop, one after the other with it.
    fn apart(&self) -> Option<Arc<dyn Host + Send + Sync>> {
        None
    }

    /// Waits until a moment of [`Host::clock`], or until something happens. `None` is for ever.
    ///
    /// Safe to drop: what happened meanwhile is told by the next call.
    fn wait(&self, until: Option<Duration>) -> Pin<Box<dyn Future<Output = Wakeup> + '_>>;

    /// Is told which files and folders to watch from now on, and which names in the folder of the link to pass over, for they change with
    /// each flip. The stamp, which is touched after a flip, is to be passed over, too. A change is a [`Wakeup::Changed`]. Nothing depends on it: some filesystems do not tell.
    fn watch_files(&self, paths: &[PathBuf], link: &Path, stamp: Option<&Path>);

    /// Is told what has happened.
    fn news(&self, news: &News<'_>, standing: &Standing);
}

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wakeup {
    /// The moment has come.
    Due,
    /// Somebody asks for a turn now.
    Refresh,
    /// Somebody asks for the configuration to be read again, and for a turn.
    Reload,
    /// A file has changed.
    Changed,
    /// The machine was asleep.
    Resumed,
    /// The daemon is to end.
    Stop,
}
