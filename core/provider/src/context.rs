//! What a fetch may know of the run that it is part of.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::{Allowance, Secret, SourceError, SourceErrorKind};

/// The run's side of a fetch: how long, how many at once, and where warnings go.
///
/// Opaque, so that it can grow. A test makes one with [`FetchContext::new`].
///
/// ```
/// use std::num::NonZeroUsize;
/// use std::time::{Duration, Instant};
/// use secretdir_provider::FetchContext;
///
/// let context = FetchContext::new(Instant::now() + Duration::from_secs(30), NonZeroUsize::MIN);
/// assert!(context.remaining() <= Duration::from_secs(30));
/// context.warn("the certificate of the store expires tomorrow");
/// assert_eq!(context.warnings().len(), 1);
/// ```
#[derive(Debug)]
pub struct FetchContext {
    deadline: Instant,
    concurrency: NonZeroUsize,
    allowance: Allowance,
    warnings: Mutex<Vec<String>>,
}

impl FetchContext {
    /// Makes a context with a deadline and the number of requests that may be in flight at once.
    pub fn new(deadline: Instant, concurrency: NonZeroUsize) -> Self {
        Self { deadline, concurrency, allowance: Allowance::default(), warnings: Mutex::default() }
    }

    /// Bounds the bytes of all secrets that are [admitted](Self::admit) by contexts with clones of this allowance.
    #[must_use]
    pub fn with_allowance(self, allowance: Allowance) -> Self {
        Self { allowance, ..self }
    }

    /// Counts a secret that was fetched, and passes it on if the run may hold that much.
    ///
    /// The default [`fetch_all`](crate::SecretSource::fetch_all) does this for each secret. A source with a `fetch_all` of its
    /// own calls it as soon as it has a secret, so that a store cannot exhaust memory with many values of a legal size.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](SourceErrorKind::InvalidData): the secrets of this run are larger together than it allows.
    pub fn admit(&self, secret: Secret) -> Result<Secret, SourceError> {
        if self.allowance.take(secret.expose_secret().len()) {
            return Ok(secret);
        }
        let most = self.allowance.most();
        let cause = format!("the secrets of this run are larger than {most} bytes together");
        Err(SourceError::new(SourceErrorKind::InvalidData).with_cause(cause))
    }

    /// Returns the moment at which the whole gathering ends, retries included. The engine drops the fetch then. It is the same
    /// for all calls of one run, and of no other.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns how long it is to the deadline: zero once it has passed.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Returns how many requests may be in flight at once.
    pub fn concurrency(&self) -> NonZeroUsize {
        self.concurrency
    }

    /// Reports what a person should know although the run succeeds. A repeated text is reported once.
    ///
    /// Like an error, a warning never holds a value or any part of one.
    pub fn warn(&self, warning: impl Into<String>) {
        let warning = warning.into();
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// Returns the warnings so far, in the order of their first report.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_kept_once_and_in_order() {
        let context = FetchContext::new(Instant::now(), NonZeroUsize::MIN);
        for warning in ["b", "a", "b"] {
            context.warn(warning);
        }
        assert_eq!(context.warnings(), ["b", "a"]);
        assert_eq!(context.remaining(), Duration::ZERO);
    }

    #[test]
    fn secrets_are_admitted_as_long_as_all_contexts_of_a_run_have_room_for_them() {
        let allowance = Allowance::new(5);
        let context =
            || FetchContext::new(Instant::now(), NonZeroUsize::MIN).with_allowance(allowance.clone());
        assert!(context().admit(Secret::new("123")).is_ok());
        assert!(context().admit(Secret::new("45")).is_ok());
        assert!(!allowance.is_exceeded());
        let error = context().admit(Secret::new("6")).unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::InvalidData);
        assert!(allowance.is_exceeded());
        assert!(FetchContext::new(Instant::now(), NonZeroUsize::MIN).admit(Secret::new("6")).is_ok());
    }
}
