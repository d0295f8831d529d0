//! An import: many files, whose names are known only after their source has answered.

use atomicdir::FileMap;

use super::content::{PlannedAttributes, PlannedFile};
use super::selection::Selection;

/// An import of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedImport {
    pub(crate) selection: Selection,
    pub(crate) attributes: PlannedAttributes,
}

impl PlannedImport {
    /// Returns whether the import makes a file for a name: the name is wanted, and no file of `[files]` wins.
    pub(crate) fn makes_file_of(&self, files: &FileMap<PlannedFile>, name: &str) -> bool {
        self.selection.naming.wants(name) && !self.is_overridden(files, name)
    }

    /// Returns whether `[files]` has a file with the name that the import would give.
    pub(crate) fn is_overridden(&self, files: &FileMap<PlannedFile>, name: &str) -> bool {
        self.selection.naming.file(name).is_some_and(|file| files.get(&file).is_some())
    }
}
