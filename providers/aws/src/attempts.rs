//! Watches the SDK's attempts of one call: lets it try again only while the run's budget lasts, and as late as the store asks.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_secretsmanager::config::interceptors::InterceptorContext;
use aws_sdk_secretsmanager::config::retry::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::retries::classifiers::{RetryClassifierPriority, RetryReason};
use aws_smithy_types::retry::ErrorKind;

use crate::budget::Budget;

/// The SDK waits no longer than this longer than it would by itself. A store that asks for more is asked again by the
/// run, which knows its deadline.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What became of the attempts so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Whether the last one that failed was throttled.
    pub(crate) throttled: bool,
    /// How long the store asked to wait, most lately.
    pub(crate) retry_after: Option<Duration>,
}

/// The attempts of a call, and of those for its further pages. Comes after the SDK's own classifiers, and refines what they found.
#[derive(Clone, Debug)]
pub(crate) struct Attempts {
    budget: Arc<Budget>,
    most: u32,
    made: Arc<AtomicU32>,
    seen: Arc<Mutex<Seen>>,
}

impl Attempts {
    pub(crate) fn new(budget: Arc<Budget>, most: u32) -> Self {
        Self { budget, most, made: Arc::default(), seen: Arc::default() }
    }

    /// Starts to count the attempts of another call.
    pub(crate) fn begin(&self) {
        self.made.store(0, Ordering::Relaxed);
    }

    pub(crate) fn seen(&self) -> Seen {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClassifyRetry for Attempts {
    fn classify_retry(&self, _: &InterceptorContext) -> RetryAction {
        RetryAction::NoActionIndicated
    }

    fn classify_retry_v2(&self, context: &InterceptorContext, previous: &RetryAction) -> RetryAction {
        let made = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        let RetryAction::RetryIndicated(RetryReason::RetryableError { kind, retry_after }) = previous else {
            return RetryAction::NoActionIndicated;
        };
        let wait = retry_after.or_else(|| retry_after_of(context));
        let seen = Seen { throttled: *kind == ErrorKind::ThrottlingError, retry_after: wait };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        if made >= self.most {
            return RetryAction::NoActionIndicated;
        }
        match wait {
            Some(wait) if wait > LONGEST_WAIT => RetryAction::RetryForbidden,
            _ if !self.budget.take_spare() => RetryAction::RetryForbidden,
            Some(wait) => RetryAction::retryable_error_with_explicit_delay(*kind, wait),
            None => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "the budget of the run"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// Reads the header `Retry-After`, of which the SDK knows only AWS's own variant: in seconds (RFC 9110, 10.2.3). As a date it is not used by AWS, and not read.
fn retry_after_of(context: &InterceptorContext) -> Option<Duration> {
    let text = context.response()?.headers().get("retry-after")?;
    text.trim().parse().map(Duration::from_secs).ok()
}
