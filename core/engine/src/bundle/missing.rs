//! The optional secrets that were not found. Their files are left out, or get a default.

use std::fmt;

use schemars::JsonSchema;
use secretdir_provider::SecretRequest;
use serde::Serialize;

use crate::escape::escape;
use crate::plan::SecretUse;

/// A secret that was not found, and its optional file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct MissingSecret {
    /// The file.
    pub file_name: String,
    /// The source that was asked.
    pub source: String,
    /// The name of the secret there.
    pub secret_name: String,
    /// The requested version, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The missing field. Absent if the secret itself is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl MissingSecret {
    /// Describes the secret, or the field of it, that a file lacks.
    pub(crate) fn new(
        file: &str,
        source: &str,
        request: &SecretRequest,
        used: &SecretUse,
        is_there: bool,
    ) -> Self {
        let field = used.field.as_ref().filter(|_| is_there);
        Self {
            file_name: file.to_owned(),
            source: source.to_owned(),
            secret_name: request.name().to_owned(),
            version: request.version().map(str::to_owned),
            field: field.map(ToString::to_string),
        }
    }
}

impl fmt::Display for MissingSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (", escape(&self.file_name))?;
        if let Some(field) = &self.field {
            write!(f, "field `{}` of ", escape(field))?;
        }
        write!(f, "secret `{}`", escape(&self.secret_name))?;
        if let Some(version) = &self.version {
            write!(f, ", version `{}`,", escape(version))?;
        }
        write!(f, " of source `{}` not found)", escape(&self.source))
    }
}

/// Writes a line for each missing secret.
pub(crate) fn lines(
    f: &mut fmt::Formatter<'_>,
    left_out: &[MissingSecret],
    defaulted: &[MissingSecret],
) -> fmt::Result {
    let left_out = left_out.iter().map(|missing| ("left out", missing));
    let defaulted = defaulted.iter().map(|missing| ("by default", missing));
    left_out.chain(defaulted).try_for_each(|(what, missing)| write!(f, "\n{what}: {missing}"))
}
