//! An import: many files at once, whose names are known only when their source has been asked.

use atomicdir::FileMap;

use super::content::{PlannedAttributes, PlannedFile};
use super::selection::Selection;

/// Many files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedImport {
    pub(crate) selection: Selection,
    pub(crate) attributes: PlannedAttributes,
}

impl PlannedImport {
    /// Says whether a file is made of what the import has found: it is wanted, and no file of `[files]` wins.
    pub(crate) fn makes_file_of(&self, files: &FileMap<PlannedFile>, name: &str) -> bool {
        self.selection.naming.wants(name) && !self.is_overridden(files, name)
    }

    /// Says whether `[files]` has a file of the name that the import would give to something.
    pub(crate) fn is_overridden(&self, files: &FileMap<PlannedFile>, name: &str) -> bool {
        self.selection.naming.file(name).is_some_and(|file| files.get(&file).is_some())
    }
}
