//! What is taken of a whole source, or of a whole secret: names that are known only when the source has been asked.

use glob::{MatchOptions, Pattern};

use super::request::RequestId;
use crate::transform::Transform;

/// `*` ends at a `/`, and a leading dot is a character like any other.
const MATCHING: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// Many secrets, or many keys of one, and the names that they get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// What it is called beside another: `import[0]`.
    pub(crate) label: String,
    /// Where it stands, with the file and line of the configuration.
    pub(crate) place: String,
    pub(crate) what: Imported,
    pub(crate) naming: Naming,
    pub(crate) if_none: IfNone,
    pub(crate) transform: Transform,
}

/// What is selected.
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
    pub(crate) into: String,
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

    /// Returns the name that a file has been given to; `None` if it is none of these.
    pub(crate) fn name_of(&self, file: &str) -> Option<String> {
        let name = format!("{}{}", self.strip_prefix, file.strip_prefix(self.into.as_str())?);
        (self.wants(&name) && self.file(&name).as_deref() == Some(file)).then_some(name)
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
