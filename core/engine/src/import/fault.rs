//! Why what was found cannot be imported.

use atomicdir::{NameConflict, NameError};

use crate::field::FieldError;

/// Why what was found cannot be imported. Names secrets, keys and files; holds nothing of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportFault {
    /// There is nothing, or nothing that is wanted.
    #[error("there is nothing to import")]
    Nothing,
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
    /// Two names come to the same file.
    #[error("{this} cannot become the file `{file}`, which {other} is already")]
    Twins {
        /// What the file would be called.
        file: String,
        /// What would become the file.
        this: String,
        /// What has become it.
        other: String,
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

impl ImportFault {
    /// Returns what a person can do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Nothing => "is the prefix right? `allow-empty = true` says that there may be nothing",
            Self::NotExpandable(_) => "only a secret that is a JSON object can be expanded",
            Self::NotStripped(_) => "leave it out with `exclude`, or choose others with `include`",
            Self::BadName { .. } | Self::Twins { .. } | Self::Conflict { .. } => {
                "leave it out with `exclude`, change its name with `strip-prefix` or `into`, or name it under [files]"
            }
        }
    }
}
