//! The errors of requests that cannot be sent.

use secretdir_provider::{SourceError, SourceErrorKind};

/// Reports a version for a source whose URL has no place for it.
pub(crate) fn no_version_placeholder() -> SourceError {
    SourceError::new(SourceErrorKind::Unsupported)
        .with_cause("neither `url` nor `body` has the placeholder `{version}`")
}

/// Reports a missing version.
pub(crate) fn no_version() -> SourceError {
    SourceError::new(SourceErrorKind::InvalidRequest)
        .with_cause("`url` or `body` has a placeholder for a version, but no `version` is set")
        .with_hint("set `version` beside `secret`")
}

/// Reports that this provider cannot list.
pub(crate) fn no_listing() -> SourceError {
    SourceError::new(SourceErrorKind::Unsupported).with_cause("this provider cannot list secrets").with_hint(
        "name each of them under [files], or import the keys of a JSON document with `expand = \"json\"`",
    )
}

/// Reports that a name does not make a valid URL.
pub(crate) fn no_url() -> SourceError {
    SourceError::new(SourceErrorKind::InvalidRequest).with_cause("the name does not make a valid URL")
}
