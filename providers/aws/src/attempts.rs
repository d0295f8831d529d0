//! Watches the SDK's attempts of one call: lets it try again only while the run's budget lasts, and as late as the store asks.
//!
//! The SDK may ask its classifiers of one attempt more than once: whether to keep the connection, and whether to try again. The
//! second time gets the first answer, or an attempt would take two tokens.

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

/// The SDK waits no longer than this longer than it would by itself. A store that asks for more is asked again by the
/// run, which knows its deadline.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What became of the attempts so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Whether the last one that failed was throttled.
    pub(crate) throttled: bool,
    /// How long the store asked to wait, most lately.
    pub(crate) retry_after: Option<Duration>,
    /// Where the last one went.
    pub(crate) way: Option<Way>,
}

/// The attempts of a call, and of those for its further pages. Comes after the SDK's own classifiers, and refines what they found.
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
    /// What was found of the attempt that is being made.
    verdict: Option<RetryAction>,
    seen: Seen,
}

impl Attempts {
    pub(crate) fn new(limits: &Limits, most: u32) -> Self {
        let (budget, clock) = (Arc::clone(&limits.budget), limits.deadline.clock().clone());
        Self { budget, clock, most, state: Arc::default() }
    }

    /// Starts to count the attempts of another call.
    pub(crate) fn begin(&self) {
        self.state().made = 0;
    }

    pub(crate) fn seen(&self) -> Seen {
        self.state().seen.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what becomes of an attempt of which the SDK's classifiers found this, and takes the token that it costs.
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

/// Says whether the answer to an attempt was cut off. The next one would be as long.
fn is_too_long(context: &InterceptorContext) -> bool {
    matches!(context.output_or_error(), Some(Err(error)) if TooLong::behind(error).is_some())
}

/// Says whether whoever answered throttles, with or without a code of AWS, which is all that the SDK knows.
fn is_throttled(context: &InterceptorContext) -> bool {
    context.response().is_some_and(|response| response.status().as_u16() == TOO_MANY)
}

/// Reads the header `Retry-After`, of which the SDK knows only AWS's own variant: seconds, or a date (RFC 9110, 10.2.3).
fn retry_after_of(context: &InterceptorContext, now: SystemTime) -> Option<Duration> {
    http::retry_after(context.response()?.headers().get("retry-after")?, now)
}
