//! The reasons why secrets or keys cannot be imported.

use atomicdir::{FileName, NameConflict, NameError};

use crate::field::FieldError;
use crate::report::count;
use crate::transform::TransformError;

/// The reason why a secret or key cannot be imported. It names secrets, keys and files, but contains no part of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportFault {
    /// There is no secret below the prefix.
    #[error("there is nothing to import")]
    NothingBelow,
    /// The secret is an object without keys.
    #[error("there is nothing to import: the object has no keys")]
    NothingInside,
    /// Names were found, but the patterns leave all of them out.
    #[error("there is nothing to import: `include` and `exclude` leave none of {}", count(*.found, "name"))]
    NothingWanted {
        /// The number of names that were found.
        found: usize,
    },
    /// The secret was not requested. Only a bug leads here.
    #[error("it was found, but not fetched: a mistake in secretdir")]
    NotFetched,
    /// The secret to expand is not a JSON object.
    #[error(transparent)]
    NotExpandable(#[from] FieldError),
    /// A name does not begin with the prefix to remove.
    #[error("`{0}` does not begin with `strip-prefix`")]
    NotStripped(String),
    /// A name cannot become a file name.
    #[error("`{name}` cannot become the file `{file}`: {error}")]
    BadName {
        /// The name of the secret, or the key.
        name: String,
        /// The name that the file would have.
        file: String,
        /// The reason why that name is invalid.
        error: NameError,
    },
    /// A name cannot be a key in the map of a template.
    #[error("`{name}` cannot be a name in a template: {error}")]
    BadKey {
        /// The name of the secret.
        name: String,
        /// The reason why the name without its prefix is invalid.
        error: NameError,
    },
    /// A transform cannot be applied to a value.
    #[error("`{name}`: {error}")]
    NotTransformed {
        /// The name of the secret.
        name: String,
        /// The reason why the transform failed.
        error: TransformError,
    },
    /// Two names become the same file name.
    #[error("{this} cannot become the file `{file}`, which {other} is already{}", .spelling.note())]
    Twins {
        /// The name that the file would have.
        file: String,
        /// The secret or key that would become the file.
        this: String,
        /// The secret or key that became the file already.
        other: String,
        /// Whether the two names are visibly the same.
        spelling: Spelling,
    },
    /// Two files cannot coexist.
    #[error("{this} cannot become a file beside {other}: {conflict}")]
    Conflict {
        /// The secret or key that would become a file.
        this: String,
        /// The secret or key that became a file already.
        other: String,
        /// The two files.
        conflict: NameConflict,
    },
}

/// How two names that become the same file name are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// With the same code points.
    Same,
    /// With different code points that look the same.
    Different,
}

impl Spelling {
    fn note(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Different => " (both look the same, but have different code points of Unicode)",
        }
    }
}

impl ImportFault {
    pub(super) fn twins(file: &FileName, this: String, other: &FileName, origin: &str) -> Self {
        let spelling = if file == other { Spelling::Same } else { Spelling::Different };
        Self::Twins { file: file.to_string(), this, other: origin.to_owned(), spelling }
    }

    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NothingBelow => {
                Some("is the prefix correct? set `allow-empty = true` if there may be none")
            }
            Self::NothingInside => Some("set `allow-empty = true` if there may be none"),
            Self::NothingWanted { .. } => {
                Some("are the patterns correct? set `allow-empty = true` if there may be none")
            }
            Self::NotExpandable(FieldError::KeyNotUnicode) | Self::NotFetched => None,
            Self::NotTransformed { error, .. } => error.hint(),
            Self::NotExpandable(_) => Some("only a secret that is a JSON object can be expanded"),
            Self::BadKey { .. } => Some("exclude it with `exclude`, or choose others with `include`"),
            Self::NotStripped(_) => Some("exclude it with `exclude`, or choose others with `include`"),
            Self::BadName { .. } | Self::Twins { .. } | Self::Conflict { .. } => Some(
                "exclude it with `exclude`, change its name with `strip-prefix` or `into`, or map it under [files]",
            ),
        }
    }
}
