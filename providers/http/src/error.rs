//! What a source says of requests that it cannot send.

use secretdir_provider::{SourceError, SourceErrorKind};

/// Says that a version is wanted where none can be.
pub(crate) fn no_place_for_a_version() -> SourceError {
    SourceError::new(SourceErrorKind::Unsupported).with_cause("`url` has no placeholder `{version}`")
}

/// Says that a version is missing.
pub(crate) fn no_version() -> SourceError {
    SourceError::new(SourceErrorKind::InvalidRequest)
        .with_cause("`url` or `body` has a placeholder for a version, but the file has no `version`")
        .with_hint("add `version` to the file")
}

/// Says that nothing can be listed.
pub(crate) fn no_listing() -> SourceError {
    SourceError::new(SourceErrorKind::Unsupported).with_cause("this provider cannot list secrets").with_hint(
        "name each of them under [files], or import the keys of a JSON document with `expand = \"json\"`",
    )
}

/// Says that what was put into the URL makes none.
pub(crate) fn no_url() -> SourceError {
    SourceError::new(SourceErrorKind::InvalidRequest).with_cause("the name does not make a valid URL")
}
