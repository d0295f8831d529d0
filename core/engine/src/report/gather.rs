//! What is told of a secret that could not be had, and of a file that could not be made.
//!
//! A source that is down fails for every secret that is asked of it, with the same words. That is one cause, so it is told once, with
//! all names. What is the matter with a secret itself is told of each: people look for its name.

use std::error::Error as _;

use super::{About, ErrorKind, ErrorReport, count, describe};
use crate::bundle::MakeError;
use crate::escape;
use crate::gather::{GatherError, GatherFailure};
use crate::import::ImportFault;
use crate::template::TemplateError;

/// How many other secrets a message names.
const MOST_NAMED: usize = 3;

impl GatherError {
    /// Returns what is told of each cause.
    pub fn reports(&self) -> Vec<ErrorReport> {
        let alike = self.failures().chunk_by(|one, next| cause(one).is_some() && cause(one) == cause(next));
        alike.filter_map(together).collect()
    }
}

/// Returns what is told of failures that have one cause.
fn together(failures: &[GatherFailure]) -> Option<ErrorReport> {
    let (first, others) = failures.split_first()?;
    let mut report = ErrorReport::from(first);
    if let Some((_, cause)) = cause(first).filter(|_| !others.is_empty()) {
        report.message = format!("{}, and {}: {cause}", escape(&first.to_string()), named(others));
        for other in others.iter().map(ErrorReport::from) {
            report.about.secret_names.extend(other.about.secret_names);
            report.about.file_names.extend(other.about.file_names);
        }
        report.about.file_names.sort();
        report.about.file_names.dedup();
    }
    Some(report)
}

/// Names the other secrets, unless these are many.
fn named(others: &[GatherFailure]) -> String {
    if others.len() > MOST_NAMED {
        return count(others.len(), "other secret");
    }
    let names = others.iter().filter_map(GatherFailure::secret);
    let names: Vec<_> = names.map(|name| format!("`{}`", escape(name))).collect();
    let secrets = if let [_] = names.as_slice() { "secret" } else { "secrets" };
    format!("{secrets} {}", names.join(", "))
}

/// Returns the source that fails whichever secret it is asked for, and why; nothing if it is a matter of the secret.
fn cause(failure: &GatherFailure) -> Option<(&str, String)> {
    let is_of_source = matches!(
        kind(failure),
        ErrorKind::Unauthenticated | ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::TimedOut
    );
    failure.secret().filter(|_| is_of_source)?;
    Some((failure.source_name()?, describe(failure.source()?)))
}

impl From<&GatherFailure> for ErrorReport {
    fn from(failure: &GatherFailure) -> Self {
        let place = template_error(failure).map(|error| error.place);
        let about = About {
            source: failure.source_name().map(str::to_owned),
            secret_names: failure.secret().map(str::to_owned).into_iter().collect(),
            file_names: failure.files().to_vec(),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            ..About::default()
        };
        Self::new(kind(failure), failure).with_hint(failure.hint()).about(about)
    }
}

fn kind(failure: &GatherFailure) -> ErrorKind {
    let cause = failure.source();
    let making = cause.and_then(|cause| cause.downcast_ref::<MakeError>());
    let is_import = cause.is_some_and(|cause| cause.is::<ImportFault>());
    match (failure.kind(), making) {
        (Some(kind), _) => kind.into(),
        (_, Some(MakeError::Field(_))) => ErrorKind::InvalidField,
        (_, Some(MakeError::NotCoded(_))) => ErrorKind::InvalidEncoding,
        (_, Some(MakeError::NotFetched)) => ErrorKind::InvalidValue,
        _ if template_error(failure).is_some() => ErrorKind::TemplateFailed,
        _ if is_import => ErrorKind::ImportFailed,
        _ => ErrorKind::TooLarge,
    }
}

fn template_error(failure: &GatherFailure) -> Option<&TemplateError> {
    failure.source()?.downcast_ref()
}
