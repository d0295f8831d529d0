//! How often a run may ask again, whatever fails: so that many runs at once do not bury a store that is in trouble.
//!
//! A run that needs N calls makes at most 2 N + 3 of them: each once, as many again, and the three attempts that the SDK
//! makes of one call. Every call beyond the first N takes one of N + 3 tokens, whoever makes it: the SDK as it tries
//! again, another region, or a run that waits until it is not throttled any more. For the last of these half of the tokens
//! are kept back, so that there is one left near the deadline.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The attempts that the SDK makes of a call by default.
const ATTEMPTS: usize = 3;

/// The longest pause before the first time that a throttled call is asked again; later ones double.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// No pause that nothing asks for is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// The tokens of one run.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicUsize,
    /// How many the SDK must leave.
    kept: usize,
}

impl Budget {
    /// Takes the number of calls of a run in which nothing fails, and of the regions to turn to if one does.
    pub(crate) fn new(calls: usize, failovers: usize) -> Self {
        let tokens = calls + ATTEMPTS;
        // Another region is asked everything once more; each further one first shows with one call that it is there.
        let kept = match failovers {
            0 => tokens - calls.div_ceil(2).max(ATTEMPTS - 1),
            _ => tokens.min(calls + failovers - 1),
        };
        Self { left: AtomicUsize::new(tokens), kept }
    }

    /// Adds the tokens of calls that nobody could foresee.
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

    /// Returns how long to wait before throttled calls are asked again, or `None` if that is not to be done any more. Takes
    /// how often that has been done in vain.
    ///
    /// Exponential with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015), and after the first
    /// time never so short that the tokens would be gone long before the deadline: the last one waits for it.
    pub(crate) fn pause(
        &self,
        in_vain: u32,
        remaining: Duration,
        jitter: impl Fn(Duration) -> Duration,
    ) -> Option<Duration> {
        let left = self.left.load(Ordering::Relaxed);
        let spread = match u32::try_from(left.checked_sub(1)?) {
            Ok(later) if in_vain > 0 => {
                4_u32.checked_pow(later).map_or(Duration::ZERO, |parts| remaining / parts)
            }
            _ => Duration::ZERO,
        };
        let longest =
            FIRST_PAUSE.saturating_mul(1_u32.checked_shl(in_vain).unwrap_or(u32::MAX)).min(LONGEST_PAUSE);
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
