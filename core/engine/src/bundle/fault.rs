//! What keeps a file from being made.

use secretdir_provider::SecretRequest;

use super::import::ImportFault;
use crate::field::FieldError;
use crate::plan::Selection;
use crate::transform::TransformError;
use secretdir_template::TemplateError;

/// What keeps files from being made.
#[derive(Debug)]
pub(crate) enum BundleFault {
    /// An import, or what a template takes of a whole source.
    Selection { selection: Box<Selection>, fault: ImportFault },
    /// A file that cannot be made of a secret.
    Making {
        file: String,
        /// Which of the secrets of its template it is, if it has one.
        place: Option<String>,
        source: usize,
        request: Option<SecretRequest>,
        error: MakeError,
    },
    /// A file that cannot be rendered, and where.
    Rendering { file: String, place: String, error: TemplateError },
    /// All files are larger together than this many bytes.
    TooLarge(u64),
}

/// Why bytes could not be made of a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeError {
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error(transparent)]
    Transform(#[from] TransformError),
    /// Nothing that is planned leads here: what must be there is fetched, or the gathering has failed.
    #[error("it was not fetched: a mistake in secretdir")]
    NotFetched,
}
