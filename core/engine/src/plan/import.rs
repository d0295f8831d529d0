//! An import: many files at once, whose names are known only when their source has been asked.

use atomicdir::FileMap;
use glob::{MatchOptions, Pattern};

use super::content::{PlannedAttributes, PlannedFile};
use super::request::RequestId;
use crate::treatment::Treatment;

/// `*` ends at a `/`, and a leading dot is a character like any other.
const MATCHING: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// Many files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedImport {
    /// What it is called beside another: `import[0]`.
    pub(crate) label: String,
    /// Where it stands, with the file and line of the configuration.
    pub(crate) place: String,
    pub(crate) what: Imported,
    pub(crate) naming: Naming,
    pub(crate) if_none: IfNone,
    pub(crate) treatment: Treatment,
    pub(crate) attributes: PlannedAttributes,
}

/// What becomes files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Imported {
    /// The top-level keys of a JSON secret.
    Keys(RequestId),
    /// The secrets of a source whose names begin with a prefix.
    Below { source: usize, prefix: String },
}

/// What it means that there is nothing to import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfNone {
    Fail,
    Allow,
}

/// Which names are imported, and what the files are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Naming {
    /// What stands before each name: empty, or a directory with a `/` at its end.
    pub(super) into: String,
    pub(super) strip_prefix: String,
    /// Empty: all.
    pub(super) include: Vec<Pattern>,
    pub(super) exclude: Vec<Pattern>,
}

impl Naming {
    /// Returns what is left of a name without its prefix; `None` if it does not begin with that.
    pub(crate) fn stripped<'n>(&self, name: &'n str) -> Option<&'n str> {
        name.strip_prefix(self.strip_prefix.as_str())
    }

    /// Says whether a name is wanted. One without the prefix is looked at as it is.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let name = self.stripped(name).unwrap_or(name);
        let matches = |pattern: &Pattern| pattern.matches_with(name, MATCHING);
        (self.include.is_empty() || self.include.iter().any(matches)) && !self.exclude.iter().any(matches)
    }

    /// Returns what the file is called; `None` if the name does not begin with the prefix.
    pub(crate) fn file(&self, name: &str) -> Option<String> {
        Some(format!("{}{}", self.into, self.stripped(name)?))
    }
}

impl PlannedImport {
    /// Says whether a file is made of what the import has found: it is wanted, and no file of `[files]` wins.
    pub(crate) fn makes_file_of(&self, files: &FileMap<PlannedFile>, name: &str) -> bool {
        self.naming.wants(name) && !self.is_overridden(files, name)
    }

    /// Says whether `[files]` has a file of the name that the import would give to something.
    pub(crate) fn is_overridden(&self, files: &FileMap<PlannedFile>, name: &str) -> bool {
        self.naming.file(name).is_some_and(|file| files.get(&file).is_some())
    }
}
