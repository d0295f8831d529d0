//! Errors of the client. Only this module looks into errors of reqwest, hyper and rustls.
//!
//! An error of reqwest quotes the URL, query included. So messages are made of host and port, and of the innermost
//! error. The innermost errors of the system, rustls and hyper contain no data that was sent.

mod fault;

use std::time::Duration;

use secretdir_provider::{Retry, SourceError};

pub use self::fault::Fault;
use crate::destination::Destination;
use crate::response::Failure;

/// The reason why there is no answer: the fault and the destination. Converts into a [`SourceError`] with `?`.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct ClientError {
    fault: Fault,
    cause: String,
    hint: Option<&'static str>,
}

impl ClientError {
    pub(crate) fn of(failure: &Failure, way: &Destination, within: Duration) -> Self {
        let fault = Fault::of(failure);
        let cause = format!("{way}: {}", fault::describe(fault, failure, within));
        Self { fault, cause, hint: fault.hint(way) }
    }

    /// Reports unusable files for TLS.
    pub(crate) fn of_files(fault: Fault, cause: String) -> Self {
        Self { fault, cause, hint: fault.hint_about_files() }
    }

    /// Reports that no client can be made.
    pub(crate) fn build_failed(error: &reqwest::Error) -> Self {
        let cause = format!("cannot make an HTTP client: {}", fault::innermost(error));
        Self { fault: Fault::Unusable, cause, hint: None }
    }

    /// Adds the destination of the request.
    pub(crate) fn before(self, way: &Destination) -> Self {
        Self { cause: format!("{way}: {}", self.cause), ..self }
    }

    /// Returns the kind of failure.
    pub fn fault(&self) -> Fault {
        self.fault
    }
}

impl From<ClientError> for SourceError {
    fn from(error: ClientError) -> Self {
        let (fault, hint) = (error.fault, error.hint);
        // No layer below retries.
        let retry = if fault.may_pass() { Retry::After(Duration::ZERO) } else { Retry::No };
        let told = Self::new(fault.kind()).with_retry(retry).with_cause(error);
        match hint {
            Some(hint) => told.with_hint(hint),
            None => told,
        }
    }
}
