//! A directory that is published atomically, opened.

use std::path::PathBuf;
use std::sync::Arc;

use crate::names::Role;
use crate::parent::Parent;
use crate::{Error, Id, LinkName, Options, Result, Step};

/// A link and the directory that it is in, opened: what a lock is taken on. Made by [`Options::open`].
///
/// Holds a descriptor of that directory, and nothing else of the system: no lock, no memory of what is published. Copies
/// share the descriptor, and are cheap. It can be kept for as long as a process lives; should the directory be renamed or
/// mounted over, a publish says so instead of publishing where nobody looks.
#[derive(Clone, Debug)]
pub struct AtomicDir {
    pub(crate) parent: Arc<Parent>,
    pub(crate) link: LinkName,
    pub(crate) options: Options,
}

impl AtomicDir {
    /// Returns the path of the link, as it was given.
    pub fn path(&self) -> PathBuf {
        self.parent.join(self.link.as_str())
    }

    /// Ensures that the path still leads where it led when this was opened: no directory of it was renamed or mounted over. A publish
    /// looks by itself; this is for what takes long after it.
    ///
    /// # Errors
    ///
    /// [`Refusal::Moved`](crate::Refusal::Moved), and whatever the system says.
    pub fn ensure_in_place(&self) -> Result<()> {
        self.parent.ensure_in_place(Step::Announce).map_err(Error::after_flip)
    }

    /// Returns the path of a generation, for messages.
    pub(crate) fn generation_path(&self, id: &Id) -> PathBuf {
        self.parent.join(&self.link.name(Role::Generation, id))
    }
}
