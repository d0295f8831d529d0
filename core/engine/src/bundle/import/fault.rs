//! Why what was found cannot be imported.

use atomicdir::{FileName, NameConflict, NameError};

use crate::field::FieldError;
use crate::report::count;
use crate::transform::TransformError;

/// Why what was found cannot be imported. Names secrets, keys and files; holds nothing of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportFault {
    /// There is no secret below the prefix.
    #[error("there is nothing to import")]
    NothingBelow,
    /// The secret is an object without keys.
    #[error("there is nothing to import: the object has no keys")]
    NothingInside,
    /// There is something, but the patterns leave it all out.
    #[error("there is nothing to import: `include` and `exclude` leave none of {}", count(*.found, "name"))]
    NothingWanted {
        /// How many names there are.
        found: usize,
    },
    /// What is to become a file was not asked for. Nothing that is found leads here.
    #[error("it was found, but not fetched: a mistake in secretdir")]
    NotFetched,
    /// The secret that was to be expanded is not JSON, or no object.
    #[error(transparent)]
    NotExpandable(#[from] FieldError),
    /// A name has not the prefix that is to be taken off.
    #[error("`{0}` does not begin with `strip-prefix`")]
    NotStripped(String),
    /// A name cannot be that of a file.
    #[error("`{name}` cannot become the file `{file}`: {error}")]
    BadName {
        /// The name of the secret, or the key.
        name: String,
        /// What the file would be called.
        file: String,
        /// What is wrong with that.
        error: NameError,
    },
    /// A name cannot be one in a map of a template.
    #[error("`{name}` cannot be a name in a template: {error}")]
    BadKey {
        /// The name of the secret.
        name: String,
        /// What is wrong with what is left of it.
        error: NameError,
    },
    /// A value is not what its transforms expect.
    #[error("`{name}`: {error}")]
    NotTransformed {
        /// The name of the secret.
        name: String,
        /// What is wrong with its value.
        error: TransformError,
    },
    /// Two names come to the same file.
    #[error("{this} cannot become the file `{file}`, which {other} is already{}", .spelling.note())]
    Twins {
        /// What the file would be called.
        file: String,
        /// What would become the file.
        this: String,
        /// What has become it.
        other: String,
        /// Whether one can see that the names are the same.
        spelling: Spelling,
    },
    /// Two files cannot stand beside each other.
    #[error("{this} cannot become a file beside {other}: {conflict}")]
    Conflict {
        /// What would become a file.
        this: String,
        /// What has become one.
        other: String,
        /// The two files.
        conflict: NameConflict,
    },
}

/// How two names are written that come to the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// Alike.
    Same,
    /// With other code points, which look the same.
    Different,
}

impl Spelling {
    fn note(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Different => " (both look the same, and are written with different code points of Unicode)",
        }
    }
}

impl ImportFault {
    pub(super) fn twins(file: &FileName, this: String, other: &FileName, origin: &str) -> Self {
        let spelling = if file == other { Spelling::Same } else { Spelling::Different };
        Self::Twins { file: file.to_string(), this, other: origin.to_owned(), spelling }
    }

    /// Returns what a person can do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NothingBelow => {
                Some("is the prefix right? `allow-empty = true` says that there may be nothing")
            }
            Self::NothingInside => Some("`allow-empty = true` says that there may be nothing"),
            Self::NothingWanted { .. } => {
                Some("are the patterns right? `allow-empty = true` says that there may be nothing")
            }
            Self::NotExpandable(FieldError::KeyNotUnicode) | Self::NotFetched => None,
            Self::NotTransformed { error, .. } => error.hint(),
            Self::NotExpandable(_) => Some("only a secret that is a JSON object can be expanded"),
            Self::BadKey { .. } => Some("leave it out with `exclude`, or choose others with `include`"),
            Self::NotStripped(_) => Some("leave it out with `exclude`, or choose others with `include`"),
            Self::BadName { .. } | Self::Twins { .. } | Self::Conflict { .. } => Some(
                "leave it out with `exclude`, change its name with `strip-prefix` or `into`, or name it under [files]",
            ),
        }
    }
}
