//! The reasons why a file cannot be made.

use secretdir_provider::SecretRequest;

use super::import::ImportFault;
use crate::field::FieldError;
use crate::plan::Selection;
use crate::transform::TransformError;
use secretdir_template::TemplateError;

/// The reason why one or more files cannot be made.
#[derive(Debug)]
pub(crate) enum BundleFault {
    /// An import, or the map of a template with all secrets below a prefix.
    Selection { selection: Box<Selection>, fault: ImportFault },
    /// A secret that cannot become a file or a value in a template.
    Making {
        file: String,
        /// The name of the secret in the template, if the file has one.
        place: Option<String>,
        source: usize,
        request: Option<SecretRequest>,
        error: MakeError,
    },
    /// A template that cannot be rendered, and the position of the error.
    Rendering { file: String, place: String, error: TemplateError },
    /// All files together are larger than this many bytes.
    TooLarge(u64),
}

/// The reason why a secret could not be turned into bytes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeError {
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error(transparent)]
    Transform(#[from] TransformError),
    /// Only a bug leads here: a required secret has been fetched, or the gathering has failed.
    #[error("it was not fetched: a mistake in secretdir")]
    NotFetched,
}
