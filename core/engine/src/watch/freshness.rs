//! The age of the published set.

use std::time::Duration;

use secretdir_provider::Clock;

/// The age of the last success. It is measured by a clock that does not depend on the date. Only the age of a success of an
/// earlier process comes from its date.
#[derive(Clone, Debug)]
pub struct Freshness {
    /// A moment, and the age of the last success then. None if there was no success.
    known: Option<(Duration, Duration)>,
    /// When this process began, for the case that there was no success.
    begun: Duration,
    pub(super) max_stale: Option<Duration>,
}

impl Freshness {
    /// Begins with the age of an earlier success, if there was one.
    pub(super) fn begin(age: Option<Duration>, max_stale: Option<Duration>, clock: &Clock) -> Self {
        Self { known: age.map(|age| (clock.now(), age)), begun: clock.now(), max_stale }
    }

    /// Returns the age of the last success, or `None` if there was none.
    pub fn age(&self, clock: &Clock) -> Option<Duration> {
        let (moment, age) = self.known?;
        Some(clock.now().saturating_sub(moment).saturating_add(age))
    }

    /// Returns whether the set is older than the configuration allows. Without a limit it is never stale.
    pub fn is_stale(&self, clock: &Clock) -> bool {
        let age = self.age(clock).unwrap_or_else(|| clock.now().saturating_sub(self.begun));
        self.max_stale.is_some_and(|most| age > most)
    }

    /// Returns the moment after which the set is stale, unless a run succeeds before. It may be in the past.
    pub(super) fn stale_after(&self) -> Option<Duration> {
        let most = self.max_stale?;
        let (moment, age) = self.known.unwrap_or((self.begun, Duration::ZERO));
        Some(moment.saturating_add(most.saturating_sub(age)))
    }

    pub(super) fn succeed(&mut self, clock: &Clock) {
        self.known = Some((clock.now(), Duration::ZERO));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that stands still at this many milliseconds after the start of the machine.
    fn at(millis: u64) -> Clock {
        Clock::new(move || Duration::from_millis(millis))
    }

    #[test]
    fn it_is_stale_after_the_limit_and_not_at_it() {
        let limit = Some(Duration::from_secs(10));
        // One success before the start, and none at all; later a new success.
        let mut fresh = Freshness::begin(Some(Duration::from_secs(4)), limit, &at(1_000));
        let never = Freshness::begin(None, limit, &at(1_000));
        for (fresh, last) in [(&fresh, 7_000), (&never, 11_000)] {
            assert!(!fresh.is_stale(&at(last)) && fresh.is_stale(&at(last + 1)));
            assert_eq!(fresh.stale_after(), Some(Duration::from_millis(last)));
        }
        fresh.succeed(&at(20_000));
        assert!(!fresh.is_stale(&at(30_000)) && fresh.is_stale(&at(30_001)));
        assert_eq!(fresh.age(&at(21_000)), Some(Duration::from_secs(1)));
        assert_eq!(never.age(&at(21_000)), None);
    }

    #[test]
    fn without_a_limit_nothing_is_stale() {
        let fresh = Freshness::begin(None, None, &at(0));
        assert!(!fresh.is_stale(&at(u64::MAX / 2)));
        assert_eq!(fresh.stale_after(), None);
    }
}
