//! Failures of a run that also affect other requests: the server is down, or refuses the login.

use std::sync::{Mutex, MutexGuard, PoisonError};

use secretdir_provider::{Retry, SourceError, SourceErrorKind};

/// The failures of a run. Only the last one is kept.
#[derive(Default)]
pub(crate) struct SharedFailures(Mutex<(usize, Option<Refusal>)>);

/// An error that is reported for every request.
struct Refusal {
    kind: SourceErrorKind,
    cause: String,
    hint: Option<String>,
    retry: Retry,
}

impl SharedFailures {
    /// Returns the number of failures so far.
    pub(crate) fn count(&self) -> usize {
        self.lock().0
    }

    /// Returns the last error, if it came after this number of failures. A request that waited for it need not ask
    /// again.
    pub(crate) fn while_waiting(&self, count: usize) -> Option<SourceError> {
        let known = self.lock();
        known.1.as_ref().filter(|_| known.0 > count).map(Refusal::error)
    }

    /// Returns the last error if it came after this number of failures, or if it is permanent.
    pub(crate) fn since(&self, count: usize) -> Option<SourceError> {
        let known = self.lock();
        known.1.as_ref().filter(|refusal| refusal.retry == Retry::No || known.0 > count).map(Refusal::error)
    }

    pub(crate) fn add(&self, error: &SourceError) {
        let mut known = self.lock();
        *known = (known.0 + 1, Some(Refusal::of(error)));
    }

    fn lock(&self) -> MutexGuard<'_, (usize, Option<Refusal>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refusal {
    fn of(error: &SourceError) -> Self {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        Self { kind: error.kind(), cause, hint: error.hint().map(str::to_owned), retry: error.retry() }
    }

    fn error(&self) -> SourceError {
        let error = SourceError::new(self.kind).with_cause(self.cause.clone()).with_retry(self.retry);
        match &self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}
