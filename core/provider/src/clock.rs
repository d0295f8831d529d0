//! The time and the randomness of a run. A test can replace both.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// A monotonic clock. Clones are the same clock.
///
/// It counts from an arbitrary moment, so only differences have a meaning.
///
/// ```
/// use std::time::Duration;
/// use secretdir_provider::Clock;
///
/// let stopped = Clock::new(|| Duration::from_secs(7));
/// assert_eq!(stopped.now(), Duration::from_secs(7));
/// ```
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Duration + Send + Sync>,
    date: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

/// A source of random durations. Clones are the same source. It is not cryptographically secure.
#[derive(Clone)]
pub struct Jitter(Arc<dyn Fn(Duration) -> Duration + Send + Sync>);

/// A deadline: a moment of a [`Clock`].
///
/// ```
/// use std::time::Duration;
/// use secretdir_provider::{Clock, Deadline};
///
/// let stopped = Clock::new(|| Duration::from_secs(7));
/// let deadline = Deadline::after(Duration::from_secs(60), stopped);
/// assert_eq!(deadline.remaining(), Duration::from_secs(60));
/// assert_eq!(deadline.earlier_by(Duration::from_secs(1)).remaining(), Duration::from_secs(59));
/// ```
#[derive(Clone, Debug)]
pub struct Deadline {
    clock: Clock,
    at: Duration,
}

impl Clock {
    /// Makes a clock that shows the result of this function.
    pub fn new(now: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), date: Arc::new(SystemTime::now) }
    }

    /// Replaces the date of the system by the result of this function.
    #[must_use]
    pub fn with_date(self, date: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { date: Arc::new(date), ..self }
    }

    /// Returns the time since the arbitrary moment that the clock counts from.
    pub fn now(&self) -> Duration {
        (self.now)()
    }

    /// Returns the date and time of day, which may be set back. Use it for dates that a store names, such as an expiry.
    pub fn date(&self) -> SystemTime {
        (self.date)()
    }
}

impl Deadline {
    /// Makes a deadline after this timeout.
    pub fn after(timeout: Duration, clock: Clock) -> Self {
        let at = clock.now().saturating_add(timeout);
        Self { clock, at }
    }

    /// Returns the time until the deadline. It is zero once the deadline has passed.
    pub fn remaining(&self) -> Duration {
        self.at.saturating_sub(self.clock.now())
    }

    /// Says whether the deadline has passed.
    pub fn has_passed(&self) -> bool {
        self.remaining().is_zero()
    }

    /// Returns the clock of the deadline.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns a deadline that is earlier by this duration.
    #[must_use]
    pub fn earlier_by(&self, time: Duration) -> Self {
        Self { clock: self.clock.clone(), at: self.at.saturating_sub(time) }
    }

    /// Returns the deadline after this timeout, or this one if it is earlier.
    #[must_use]
    pub fn at_most(&self, timeout: Duration) -> Self {
        Self::after(timeout.min(self.remaining()), self.clock.clone())
    }
}

impl Jitter {
    /// Makes a source from a function that takes the longest duration and returns a duration up to it.
    pub fn new(jitter: impl Fn(Duration) -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(jitter))
    }

    /// Returns a uniformly distributed duration from zero to this one.
    pub fn up_to(&self, longest: Duration) -> Duration {
        (self.0)(longest).min(longest)
    }
}

impl Default for Clock {
    /// Makes the monotonic clock of the system.
    fn default() -> Self {
        let start = Instant::now();
        Self::new(move || start.elapsed())
    }
}

impl Default for Jitter {
    /// Makes a source from the random keys that the standard library uses for its hash maps.
    fn default() -> Self {
        Self::new(|longest| longest.mul_f64(f64::from(random()) / f64::from(u32::MAX)))
    }
}

/// Each `RandomState` has different keys, so it hashes the same input to a different number.
fn random() -> u32 {
    let hash = RandomState::new().hash_one(0_u8);
    u32::try_from(hash >> 32).unwrap_or(u32::MAX)
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

impl fmt::Debug for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jitter")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_within_its_bound_and_not_always_the_same() {
        let jitter = Jitter::default();
        let longest = Duration::from_secs(10);
        let drawn: Vec<_> = (0..100).map(|_| jitter.up_to(longest)).collect();
        assert!(drawn.iter().all(|drawn| *drawn <= longest));
        assert!(drawn.windows(2).any(|two| two[0] != two[1]));
        assert_eq!(Jitter::new(|longest| longest * 2).up_to(longest), longest);
    }

    #[test]
    fn the_default_clock_does_not_go_back() {
        let clock = Clock::default();
        let before = clock.now();
        assert!(clock.clone().now() >= before);
    }
}
