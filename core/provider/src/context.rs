//! What a fetch may know of the run that it is part of.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

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
    warnings: Mutex<Vec<String>>,
}

impl FetchContext {
    /// Makes a context with a deadline and the number of requests that may be in flight at once.
    pub fn new(deadline: Instant, concurrency: NonZeroUsize) -> Self {
        Self { deadline, concurrency, warnings: Mutex::default() }
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
}
