//! Reports of secrets that could not be fetched, and of files that could not be made.

use std::error::Error as _;

use super::gathering::{GatherError, GatherFailure};
use crate::bundle::MakeError;
use crate::bundle::import::ImportFault;
use crate::report::{About, ErrorKind, ErrorReport};
use crate::transform::TransformError;
use secretdir_template::TemplateError;

impl GatherError {
    /// Returns a report for each failure.
    pub fn reports(&self) -> Vec<ErrorReport> {
        self.failures().iter().map(ErrorReport::from).collect()
    }
}

impl From<&GatherFailure> for ErrorReport {
    fn from(failure: &GatherFailure) -> Self {
        let place = template_error(failure).map(|error| error.place);
        let about = About {
            source: failure.source_name().map(str::to_owned),
            secret_names: failure.secrets().map(str::to_owned).collect(),
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
        (_, Some(MakeError::Transform(TransformError::NotCoded(_)))) => ErrorKind::InvalidEncoding,
        (_, Some(MakeError::Transform(_) | MakeError::NotFetched)) => ErrorKind::InvalidValue,
        _ if template_error(failure).is_some() => ErrorKind::TemplateFailed,
        _ if is_import => ErrorKind::ImportFailed,
        _ => ErrorKind::TooLarge,
    }
}

fn template_error(failure: &GatherFailure) -> Option<&TemplateError> {
    failure.source()?.downcast_ref()
}
