//! An open directory for atomic publishing.

use std::path::PathBuf;
use std::sync::Arc;

use crate::names::Role;
use crate::parent::Parent;
use crate::{Error, Id, LinkName, Options, Result, Step};

/// A link and its open directory, on which a run takes the lock. Made by [`Options::open`].
///
/// It holds a descriptor of that directory, but no lock and no state of the published set. Clones share the descriptor
/// and are cheap. A process can keep it for its whole life. If the directory is renamed or mounted over, a publish
/// reports that, and does not publish where no reader looks.
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

    /// Checks that the path still leads to the directory that was opened: no part of it was renamed or mounted over. A
    /// publish checks this itself. Use this function for work that goes on long after it.
    ///
    /// # Errors
    ///
    /// [`Refusal::Moved`](crate::Refusal::Moved), and any error of the system.
    pub fn ensure_in_place(&self) -> Result<()> {
        self.parent.ensure_in_place(Step::Announce).map_err(Error::after_flip)
    }

    /// Returns the path of a generation, for messages.
    pub(crate) fn generation_path(&self, id: &Id) -> PathBuf {
        self.parent.join(&self.link.name(Role::Generation, id))
    }
}
