//! Where a set is published: all that a look at it needs.

use std::path::{Path, PathBuf};

use atomicdir::{LinkName, Options, Parents, Status};

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

    /// Ensures that nobody but root and this process's user could have replaced the directories that lead to the link,
    /// unless they are trusted.
    ///
    /// # Errors
    ///
    /// The component that somebody else controls.
    pub fn ensure_irreplaceable(&self) -> Result<(), atomicdir::Error> {
        match (self.parents, LinkName::split(&self.link)) {
            (Parents::Strict, Ok((folder, _))) => match atomicdir::ensure_irreplaceable(folder) {
                // What is missing, nobody has published at.
                Err(error) if error.is_not_found() => Ok(()),
                judged => judged,
            },
            _ => Ok(()),
        }
    }

    /// Looks at what is published there.
    ///
    /// # Errors
    ///
    /// A link that is not ours, or that anyone could replace, and whatever may not be read.
    pub fn status(&self) -> Result<Status, atomicdir::Error> {
        Options::new().parents(self.parents).status(&self.link)
    }
}
