//! What is said where more than one region was asked.

use std::error::Error;

use secretdir_provider::SourceError;

/// Says the same once more.
pub(crate) fn again(error: &SourceError) -> SourceError {
    let same = SourceError::new(error.kind()).with_cause(told(error));
    match error.hint() {
        Some(hint) => same.with_hint(hint),
        None => same,
    }
}

/// Says why neither of two regions answered.
pub(crate) fn in_both(first: &SourceError, then: &SourceError) -> SourceError {
    with_more(first, &told(then))
}

/// Says why a region did not answer, where one after it has no such secret: that may be because it has no replica.
pub(crate) fn not_replicated(down: &SourceError) -> SourceError {
    with_more(down, "a region after it has no such secret, or no replica of it")
}

/// Adds to the cause of an error what is not said there yet.
fn with_more(error: &SourceError, more: &str) -> SourceError {
    let why = told(error);
    let cause = if why.contains(more) { why } else { format!("{why}; {more}") };
    let both = SourceError::new(error.kind()).with_cause(cause);
    match error.hint() {
        Some(hint) => both.with_hint(hint),
        None => both,
    }
}

/// Returns what is told of an error after its kind.
pub(crate) fn told(error: &SourceError) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
