//! A directory that is published atomically, opened.

use std::path::PathBuf;

use crate::parent::Parent;
use crate::{LinkName, Options};

/// A link and the directory that it is in, opened: what a lock is taken on. Made by [`Options::open`].
#[derive(Debug)]
pub struct AtomicDir {
    pub(crate) parent: Parent,
    pub(crate) link: LinkName,
    pub(crate) options: Options,
}

impl AtomicDir {
    /// Returns the path of the link.
    pub fn path(&self) -> PathBuf {
        self.parent.join(self.link.as_str())
    }
}
