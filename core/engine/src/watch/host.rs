//! The interface between the loop and the program that runs it, in addition to [`Host`].

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::news::{News, Standing};
use crate::host::Host;

/// The program that runs `watch`.
pub trait WatchHost: Host {
    /// Returns the identity of this machine, which differs within a fleet and never changes: its machine ID, or its name.
    fn machine(&self) -> String;

    /// Returns a host for turns on a separate thread. While publishing waits for disks, [`wait`](Self::wait) then
    /// continues. [`watch`](crate::watch()) must run in a runtime of tokio in this case.
    ///
    /// By default, turns run on the thread of the loop, which waits for them.
    fn apart(&self) -> Option<Arc<dyn Host + Send + Sync>> {
        None
    }

    /// Waits until a moment of [`Host::clock`], or until something happens. Without a moment, it waits only for the latter.
    ///
    /// The future is safe to drop: the next call reports everything that happened meanwhile.
    fn wait(&self, until: Option<Duration>) -> Pin<Box<dyn Future<Output = Wakeup> + '_>>;

    /// Sets the files and folders to watch from now on. A change is a [`Wakeup::Changed`]. Ignore the names in the folder
    /// of the link that change with each flip, and the stamp, which is touched after a flip. Nothing depends on it, because
    /// some filesystems do not report changes.
    fn watch_files(&self, paths: &[PathBuf], link: &Path, stamp: Option<&Path>);

    /// Handles an event of the loop.
    fn news(&self, news: &News<'_>, standing: &Standing);
}

/// The reason why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wakeup {
    /// The moment has passed.
    Due,
    /// A turn was requested.
    Refresh,
    /// A reload of the configuration and a turn were requested.
    Reload,
    /// A file has changed.
    Changed,
    /// The machine was asleep.
    Resumed,
    /// The daemon must stop.
    Stop,
}
