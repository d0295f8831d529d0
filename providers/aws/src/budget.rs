//! The retry budget of one run. It keeps many concurrent runs from overloading a store that is in trouble.
//!
//! A run that needs N calls makes at most 2 N + 3: the N calls, N more, and the SDK's three attempts of one. Each call
//! beyond the first N takes one of N + 3 tokens. Retries of the SDK, calls to another region, and the run's own retries
//! after throttling all take from these tokens. About half of them are reserved for the run's own retries, so that one
//! is left near the deadline. If there are failover regions, their calls are reserved instead.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The SDK's default number of attempts for one call.
const ATTEMPTS: usize = 3;

/// The longest backoff before the first retry of a throttled call. It doubles with each retry.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// The limit of the exponential backoff. A wait that the store asks for, or that saves the last tokens, may be longer.
const MAX_BACKOFF: Duration = Duration::from_secs(20);

/// The retry tokens of one run.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicUsize,
    /// The number of tokens that the SDK must leave.
    kept: usize,
}

impl Budget {
    /// Takes the number of calls of a run without failures, and the number of failover regions.
    pub(crate) fn new(calls: usize, failovers: usize) -> Self {
        let tokens = calls + ATTEMPTS;
        // The next region may get every call once more. Each further region gets one call first, which shows whether it
        // is up.
        let kept = match failovers {
            0 => tokens - calls.div_ceil(2).max(ATTEMPTS - 1),
            _ => tokens.min(calls + failovers - 1),
        };
        Self { left: AtomicUsize::new(tokens), kept }
    }

    /// Adds the tokens of calls that could not be foreseen.
    pub(crate) fn add(&self, calls: usize) {
        self.left.fetch_add(calls, Ordering::Relaxed);
    }

    /// Takes a token for a retry of the SDK, if there is one to spare.
    pub(crate) fn take_spare(&self) -> bool {
        self.take_above(self.kept)
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&self) -> bool {
        self.take_above(0)
    }

    fn take_above(&self, kept: usize) -> bool {
        let take = |left: usize| if left > kept { left.checked_sub(1) } else { None };
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// Returns the backoff before throttled calls are retried, or `None` if no token is left. `futile_retries` is the number
    /// of retries in a row without progress.
    ///
    /// The backoff is exponential with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    /// After the first retry without progress it has a minimum, so that the tokens last: the last one waits for the
    /// deadline.
    pub(crate) fn pause(
        &self,
        futile_retries: u32,
        remaining: Duration,
        jitter: impl Fn(Duration) -> Duration,
    ) -> Option<Duration> {
        let left = self.left.load(Ordering::Relaxed);
        let spread = match u32::try_from(left.checked_sub(1)?) {
            Ok(later) if futile_retries > 0 => {
                4_u32.checked_pow(later).map_or(Duration::ZERO, |parts| remaining / parts)
            }
            _ => Duration::ZERO,
        };
        let longest = FIRST_BACKOFF
            .saturating_mul(1_u32.checked_shl(futile_retries).unwrap_or(u32::MAX))
            .min(MAX_BACKOFF);
        Some(jitter(longest).max(spread).min(remaining))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spare(budget: &Budget) -> usize {
        (0..1000).take_while(|_| budget.take_spare()).count()
    }

    fn rest(budget: &Budget) -> usize {
        (0..1000).take_while(|_| budget.take()).count()
    }

    #[test]
    fn a_run_makes_at_most_twice_its_calls_and_three() {
        for (calls, failovers, of_the_sdk, of_others) in
            [(1, 0, 2, 2), (2, 0, 2, 3), (10, 0, 5, 8), (10, 1, 3, 10), (10, 2, 2, 11), (10, 9, 0, 13)]
        {
            let budget = Budget::new(calls, failovers);
            assert_eq!(
                (spare(&budget), rest(&budget)),
                (of_the_sdk, of_others),
                "{calls} calls, {failovers}"
            );
            assert_eq!(of_the_sdk + of_others, calls + 3);
        }
    }

    #[test]
    fn calls_that_nobody_foresaw_add_to_it() {
        let budget = Budget::new(1, 0);
        budget.add(20);
        assert_eq!(rest(&budget), 24);
    }

    #[test]
    fn the_last_tokens_last_until_the_deadline() {
        let budget = Budget::new(1, 0);
        let minute = Duration::from_secs(60);
        let none = |_| Duration::ZERO;
        let mut pauses = Vec::new();
        while let Some(pause) = budget.pause(u32::try_from(pauses.len()).unwrap(), minute, none) {
            pauses.push(pause.as_millis());
            budget.take();
        }
        assert_eq!(pauses, [0, 3_750, 15_000, 60_000]);
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        let budget = Budget::new(100, 0);
        let longest =
            |round| budget.pause(round, Duration::from_secs(60), |longest| longest).unwrap().as_secs();
        assert_eq!([0, 1, 2, 4, 5, 40].map(longest), [1, 2, 4, 16, 20, 20]);
    }
}
