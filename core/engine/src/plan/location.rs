//! The location of a published set, which is all that the commands for reading need.

use std::path::{Path, PathBuf};

use atomicdir::{Options, Parents, Snapshot, Status};

/// The location of a published set, and whether the directories above it are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pub(crate) link: PathBuf,
    pub(crate) parents: Parents,
}

impl Location {
    /// Returns the path of the link that readers use.
    pub fn link(&self) -> &Path {
        &self.link
    }

    /// Returns the status of the published set.
    ///
    /// # Errors
    ///
    /// - the link was not made by secretdir
    /// - another user could replace the link
    /// - permission to read something is denied
    pub fn status(&self) -> Result<Status, atomicdir::Error> {
        self.options().status(&self.link)
    }

    /// Opens and pins the published generation, without opening its files. Returns `None` if nothing is published.
    ///
    /// # Errors
    ///
    /// - the link or the generation was not made by secretdir, or anyone could replace it
    /// - for root: another user could replace a directory above it
    /// - the generation cannot be opened or pinned
    pub fn open_snapshot(&self) -> Result<Option<Snapshot>, atomicdir::Error> {
        self.options().open_snapshot(&self.link)
    }

    fn options(&self) -> Options {
        Options::new().parents(self.parents)
    }
}
