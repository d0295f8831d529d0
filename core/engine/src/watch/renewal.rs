//! The retries of a failed renewal.
//!
//! 1. Before the secret expires, the pause is a third of its remaining life. So the retries get more frequent towards the
//!    end, and even a life of months has only a few.
//! 2. After the expiry, the pause doubles with each retry, up to five minutes. The published secret is useless then, as if
//!    nothing were published.
//! 3. A part of each pause is random, so that a fleet does not get in step while a store is down.
//!
//! The turns and retries of the [`schedule`](super::schedule) come in addition. For a secret that does not expire, they are
//! sufficient.

use std::time::{Duration, SystemTime};

use secretdir_provider::Jitter;

/// The maximum pause after the expiry.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// Returns the next attempt to renew a secret that was due at `due` and expires at `end`.
pub(super) fn after_failure(
    due: SystemTime,
    end: Option<SystemTime>,
    now: SystemTime,
    jitter: &Jitter,
) -> Option<SystemTime> {
    if due > now {
        return Some(due);
    }
    let end = end?;
    let pause = match end.duration_since(now) {
        Ok(left) if !left.is_zero() => left / 3,
        _ => now.duration_since(end).unwrap_or_default().min(LONGEST),
    };
    now.checked_add(pause.saturating_sub(jitter.up_to(pause / 4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 60 * 60;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// Counts the retries between two moments, if all fail. The schedule makes at most one each second.
    fn tries(due: u64, end: u64, from: u64, to: u64) -> usize {
        let (mut now, mut count) = (at(from), 0);
        while now < at(to) {
            let next = after_failure(at(due), Some(at(end)), now, &Jitter::default()).unwrap();
            now = next.max(now + Duration::from_secs(1));
            count += 1;
            assert!(count < 10_000);
        }
        count
    }

    #[test]
    fn what_is_due_later_stays_due_then() {
        let later = after_failure(at(200), Some(at(300)), at(100), &Jitter::default());
        assert_eq!(later, Some(at(200)));
    }

    #[test]
    fn it_is_tried_a_few_times_before_the_end_and_the_last_time_just_before_it() {
        assert!((8..=30).contains(&tries(2400, 3600, 2400, 3600)), "{}", tries(2400, 3600, 2400, 3600));
        assert!(tries(60 * DAY, 90 * DAY, 60 * DAY, 90 * DAY) <= 80);
        let last = after_failure(at(200), Some(at(300)), at(297), &Jitter::default()).unwrap();
        assert!(last > at(297) && last <= at(298), "{last:?}");
    }

    #[test]
    fn up_to_a_quarter_of_the_pause_is_left_to_chance() {
        for (part, next) in [(0.0, 260), (1.0, 255)] {
            let jitter = Jitter::new(move |longest| longest.mul_f64(part));
            assert_eq!(after_failure(at(200), Some(at(300)), at(240), &jitter), Some(at(next)));
        }
    }

    #[test]
    fn after_the_end_the_pauses_grow_to_five_minutes() {
        let day = tries(200, 300, 300, 300 + DAY);
        assert!((288..=400).contains(&day), "{day}");
        assert!(tries(200, 300, 300, 360) <= 15);
    }

    #[test]
    fn what_never_ends_waits_for_the_next_turn() {
        assert_eq!(after_failure(at(200), None, at(260), &Jitter::default()), None);
    }
}
