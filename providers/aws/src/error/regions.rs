//! Errors of a request that went to more than one region.

use std::error::Error;

use secretdir_provider::SourceError;

/// Returns a copy of an error: its kind, cause and hint.
pub(crate) fn again(error: &SourceError) -> SourceError {
    let same = SourceError::new(error.kind()).with_cause(told(error));
    match error.hint() {
        Some(hint) => same.with_hint(hint),
        None => same,
    }
}

/// Returns the error for two regions, neither of which answered.
pub(crate) fn in_both(first: &SourceError, then: &SourceError) -> SourceError {
    with_more(first, &told(then))
}

/// Returns the error for a region that did not answer, if a later one has no such secret. The later one may just lack a
/// replica.
pub(crate) fn not_replicated(down: &SourceError) -> SourceError {
    with_more(down, "a region after it has no such secret, or no replica of it")
}

/// Adds a text to the cause of an error, unless the cause already has it.
fn with_more(error: &SourceError, more: &str) -> SourceError {
    let why = told(error);
    let cause = if why.contains(more) { why } else { format!("{why}; {more}") };
    let both = SourceError::new(error.kind()).with_cause(cause);
    match error.hint() {
        Some(hint) => both.with_hint(hint),
        None => both,
    }
}

/// Returns the cause of an error as a text, or its kind if it has no cause.
pub(crate) fn told(error: &SourceError) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
