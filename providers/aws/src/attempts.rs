//! Counts the SDK's attempts of one call. It allows a retry only while the run's budget lasts, and not before the time
//! that the store asks for.
//!
//! The SDK may ask its classifiers about one attempt twice: whether to keep the connection, and whether to retry. The
//! second question gets the first answer. Otherwise one attempt would take two tokens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::config::interceptors::{BeforeTransmitInterceptorContextRef, InterceptorContext};
use aws_sdk_secretsmanager::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_secretsmanager::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_secretsmanager::error::BoxError;
use aws_smithy_runtime_api::client::retries::classifiers::{RetryClassifierPriority, RetryReason};
use aws_smithy_types::retry::ErrorKind;
use secretdir_provider::Clock;

use crate::budget::Budget;
use crate::http::{self, Route, TOO_MANY, TooLong, Way};
use crate::run::Limits;

/// The longest delay that the SDK may add to its own backoff. If the store asks for more, the SDK does not retry. The
/// run does, because it knows its deadline.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The results of the attempts so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Whether the last failed attempt was throttled.
    pub(crate) throttled: bool,
    /// The wait that the store asked for after the last failed attempt.
    pub(crate) retry_after: Option<Duration>,
    /// The way of the last attempt.
    pub(crate) way: Option<Way>,
}

/// The attempts of a call, and of the calls for its further pages. It runs after the SDK's own classifiers and refines
/// their results.
#[derive(Clone, Debug)]
pub(crate) struct Attempts {
    budget: Arc<Budget>,
    clock: Clock,
    most: u32,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    made: u32,
    /// The decision about the current attempt, once it is made.
    verdict: Option<RetryAction>,
    seen: Seen,
}

impl Attempts {
    pub(crate) fn new(limits: &Limits, most: u32) -> Self {
        let (budget, clock) = (Arc::clone(&limits.budget), limits.deadline.clock().clone());
        Self { budget, clock, most, state: Arc::default() }
    }

    /// Restarts the count for another call.
    pub(crate) fn begin(&self) {
        self.state().made = 0;
    }

    pub(crate) fn seen(&self) -> Seen {
        self.state().seen.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides whether to retry after an attempt, based on the result of the SDK's classifiers. Takes the token that a
    /// retry costs.
    fn judge(&self, context: &InterceptorContext, found: &RetryAction, state: &mut State) -> RetryAction {
        let (kind, retry_after) = match found {
            RetryAction::RetryIndicated(RetryReason::RetryableError { kind, retry_after }) => {
                (*kind, *retry_after)
            }
            _ if is_throttled(context) => (ErrorKind::ThrottlingError, None),
            _ => return RetryAction::NoActionIndicated,
        };
        if is_too_long(context) {
            return RetryAction::RetryForbidden;
        }
        let wait = retry_after.or_else(|| retry_after_of(context, self.clock.date()));
        state.seen.throttled = kind == ErrorKind::ThrottlingError;
        state.seen.retry_after = wait;
        if state.made >= self.most {
            return RetryAction::NoActionIndicated;
        }
        match wait {
            Some(wait) if wait > LONGEST_WAIT => RetryAction::RetryForbidden,
            _ if !self.budget.take_spare() => RetryAction::RetryForbidden,
            Some(wait) => RetryAction::retryable_error_with_explicit_delay(kind, wait),
            None => RetryAction::retryable_error(kind),
        }
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "the count of the attempts"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut state = self.state();
        state.made += 1;
        state.verdict = None;
        Ok(())
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.state().seen.way = Some(Way::of(context.request().uri(), Route::Proxied));
        Ok(())
    }
}

impl ClassifyRetry for Attempts {
    fn classify_retry(&self, _: &InterceptorContext) -> RetryAction {
        RetryAction::NoActionIndicated
    }

    fn classify_retry_v2(&self, context: &InterceptorContext, previous: &RetryAction) -> RetryAction {
        let mut state = self.state();
        if let Some(verdict) = &state.verdict {
            return verdict.clone();
        }
        let verdict = self.judge(context, previous, &mut state);
        state.verdict = Some(verdict.clone());
        verdict
    }

    fn name(&self) -> &'static str {
        "the budget of the run"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// Returns whether the answer to an attempt was cut off. The answer to a retry would be as long.
fn is_too_long(context: &InterceptorContext) -> bool {
    matches!(context.output_or_error(), Some(Err(error)) if TooLong::behind(error).is_some())
}

/// Returns whether the server throttled the attempt, with or without an error code of AWS. The SDK knows only such codes.
fn is_throttled(context: &InterceptorContext) -> bool {
    context.response().is_some_and(|response| response.status().as_u16() == TOO_MANY)
}

/// Parses the header `Retry-After`: seconds, or a date (RFC 9110, 10.2.3). The SDK knows only AWS's own variant.
fn retry_after_of(context: &InterceptorContext, now: SystemTime) -> Option<Duration> {
    http::retry_after(context.response()?.headers().get("retry-after")?, now)
}
