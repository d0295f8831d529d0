//! The selection of many secrets, or of many keys of a secret. Their names are known only after the source has answered.

use glob::{MatchOptions, Pattern};

use super::request::RequestId;
use crate::transform::Transform;

/// `*` does not match `/`. A leading dot is an ordinary character.
const MATCHING: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// Many secrets, or many keys of one secret, and the names that they get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Its name in messages about several selections: `import[0]`.
    pub(crate) label: String,
    /// Its position, with the file and line of the configuration.
    pub(crate) place: String,
    pub(crate) what: Imported,
    pub(crate) naming: Naming,
    pub(crate) if_none: IfNone,
    pub(crate) transform: Transform,
}

/// The kind of selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Imported {
    /// The top-level keys of a JSON secret.
    Keys(RequestId),
    /// The secrets of a source whose names begin with a prefix.
    Below { source: usize, prefix: String },
}

/// Whether an empty selection is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfNone {
    Fail,
    Allow,
}

/// Which names are wanted, and the names of their files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Naming {
    /// The prefix of each file name: empty, or a directory that ends with `/`.
    pub(crate) into: String,
    pub(super) strip_prefix: String,
    /// If empty, all names match.
    pub(super) include: Vec<Pattern>,
    pub(super) exclude: Vec<Pattern>,
}

impl Naming {
    /// Returns a name without the prefix to strip. Returns `None` if it does not begin with that prefix.
    pub(crate) fn stripped<'n>(&self, name: &'n str) -> Option<&'n str> {
        name.strip_prefix(self.strip_prefix.as_str())
    }

    /// Returns the name from which a file name was made. Returns `None` if this selection does not make such a file.
    pub(crate) fn name_of(&self, file: &str) -> Option<String> {
        let name = format!("{}{}", self.strip_prefix, file.strip_prefix(self.into.as_str())?);
        (self.wants(&name) && self.file(&name).as_deref() == Some(file)).then_some(name)
    }

    /// Returns whether a name is wanted. If it lacks the prefix to strip, the whole name is matched.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let name = self.stripped(name).unwrap_or(name);
        let matches = |pattern: &Pattern| pattern.matches_with(name, MATCHING);
        (self.include.is_empty() || self.include.iter().any(matches)) && !self.exclude.iter().any(matches)
    }

    /// Returns the name of the file. Returns `None` if the name does not begin with the prefix to strip.
    pub(crate) fn file(&self, name: &str) -> Option<String> {
        Some(format!("{}{}", self.into, self.stripped(name)?))
    }
}
