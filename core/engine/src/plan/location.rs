//! Where a set is published: all that commands need which only look at it.

use std::path::{Path, PathBuf};

use atomicdir::{Options, Parents, Snapshot, Status};

/// Where a set is published, and whether the directories that lead there are trusted.
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

    /// Looks at what is published there.
    ///
    /// # Errors
    ///
    /// A link that is not ours, or that anyone could replace, and whatever may not be read.
    pub fn status(&self) -> Result<Status, atomicdir::Error> {
        self.options().status(&self.link)
    }

    /// Opens and pins what is published there, and opens no file of it: `None` if nothing is.
    ///
    /// # Errors
    ///
    /// A link or a generation that is not ours, or that anyone could replace; for root also directories that lead there and
    /// that somebody else could replace; and whatever keeps it from being opened and pinned.
    pub fn open_snapshot(&self) -> Result<Option<Snapshot>, atomicdir::Error> {
        self.options().open_snapshot(&self.link)
    }

    fn options(&self) -> Options {
        Options::new().parents(self.parents)
    }
}
