//! The schedule of `watch`, as a pure function of the events. It reads no clock and waits for nothing.
//!
//! Moments are those of a clock that counts from the start of the machine, including its sleep. So a change of the date has
//! no effect.
//!
//! 1. **Turns** come once in each interval, at the phase of this host. The phase is a hash of the host and the link
//!    ([`phase`](super::phase)). So a fleet never polls in step, however many hosts are started at once.
//! 2. The **first turn** comes at once if nothing is published. Otherwise it comes at the next phase, because restarts of
//!    daemons must not make a whole fleet poll.
//! 3. **Retries** come between the turns. The pause is random, from zero to 1, 2, 4, 8 … seconds, and at most the interval.
//!    This is "full jitter" (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
//!
//!    There is a budget of one retry for two turns within an hour, or within two intervals if that is longer. So a failing
//!    host polls at most one and a half times as often as others, and so does a fleet that recovers. A success resets the
//!    backoff.
//!
//!    If a set is published when the daemon starts, one retry is left for the first hour. The budget that the previous
//!    process spent is unknown. None is left if the configuration was edited, which causes a turn instead. So a restart
//!    costs one attempt.
//!
//!    If nothing is published, programs may be waiting for the set. Then the interval is at most five minutes, for turns
//!    and for retries.
//!
//!    An on-change command that has failed twice has its own backoff, and a turn comes when it is over.
//! 4. **Wake-ups** cause a turn: a request at once, a change when no more changes come for a while (`debounce`), and after
//!    at most ten seconds. A wake-up during a turn causes one more turn.
//! 5. After a **resume** of the machine, a turn comes within ten seconds.
//! 6. A secret that was issued for this host is **renewed** when its source has asked for that, also between the turns. If
//!    that fails, it is a failure like any other. In addition, [`renewal`](super::renewal) schedules its retries.
//!
//! So a change in the store is published within one interval. If the store was down, it is published within one interval
//! after the store is back. The schedule never gives up.

use std::collections::VecDeque;
use std::time::Duration;

use secretdir_provider::Jitter;

/// The maximum pause after the first failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The minimum time window in which retries are counted.
const WINDOW: Duration = Duration::from_secs(60 * 60);

/// The maximum delay of a turn by repeated wake-ups.
const LONGEST_DEBOUNCE: Duration = Duration::from_secs(10);

/// The maximum delay of a turn after a resume.
const AFTER_RESUME: Duration = Duration::from_secs(10);

/// The interval of retries if no source causes turns. It is also the maximum interval while nothing is published.
const WITHOUT_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// The configured times of turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    /// The interval of turns. If none, only wake-ups cause turns.
    pub(crate) interval: Option<Duration>,
    /// The moment of a turn within the interval.
    pub(crate) phase: Duration,
    pub(crate) debounce: Duration,
}

/// An event for the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScheduleEvent {
    /// The daemon was started. A set is published, or not.
    Started(Published),
    /// The awaited moment, or an earlier one, has come.
    Due,
    /// A turn was requested.
    Requested,
    /// A file has changed, or a source reports that a secret may have.
    Changed,
    /// The machine was asleep.
    Resumed,
    /// The daemon was started, and its configuration has changed since the last success.
    Edited,
    /// A turn has ended.
    Ended(End),
    /// The moment at which the first secret must be renewed. It is reported before any other event of the same time.
    RenewalDue(Option<Duration>),
    /// The configured times have changed.
    TimingChanged(Timing),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    Something,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Success,
    /// A success, but the on-change command has failed before, and is retried after this pause.
    Postponed(Duration),
    Failure,
}

/// The next action of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A turn begins now.
    Turn,
    /// Wait until this moment. If none, until something happens.
    Wait(Option<Duration>),
}

/// The state of the schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    timing: Timing,
    /// When the next regular turn or retry comes.
    due: Option<Duration>,
    woken: Option<Woken>,
    /// When the first secret must be renewed.
    renewal: Option<Duration>,
    is_running: bool,
    /// Whether a set is published. Until then, programs may be waiting for it.
    published: Published,
    /// The number of failed turns in a row.
    failures: u32,
    /// The moments of the retries in the window.
    retries: VecDeque<Duration>,
}

/// A turn that a wake-up causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Woken {
    due: Duration,
    at_latest: Duration,
}

impl Schedule {
    pub(crate) fn new(timing: Timing) -> Self {
        Self {
            timing,
            due: None,
            woken: None,
            renewal: None,
            is_running: false,
            published: Published::Nothing,
            failures: 0,
            retries: VecDeque::new(),
        }
    }

    /// Returns when the next turn comes, if nothing causes an earlier one.
    pub(crate) fn due(&self) -> Option<Duration> {
        let woken = self.woken.map(|woken| woken.due);
        [self.due, woken, self.renewal].into_iter().flatten().min()
    }

    /// Handles an event. Returns the new state and the next action.
    pub(crate) fn next(mut self, happened: ScheduleEvent, now: Duration, jitter: &Jitter) -> (Self, Action) {
        if let ScheduleEvent::Started(published) = happened {
            self.published = published;
        }
        match happened {
            ScheduleEvent::Started(Published::Nothing) => self.due = Some(now),
            ScheduleEvent::Started(Published::Something) => {
                self.due = self.turn_after(now);
                self.spend(now, 1);
            }
            ScheduleEvent::Edited => {
                self.soon(now, jitter);
                // Without an interval, no other turn comes soon.
                if self.published == Published::Something && self.timing.interval.is_some() {
                    self.spend(now, 0);
                }
            }
            ScheduleEvent::Due => {}
            ScheduleEvent::RenewalDue(renewal) => {
                // A renewal that is due at once comes after a short pause.
                self.renewal = renewal.map(|renewal| renewal.max(now.saturating_add(FIRST_PAUSE)));
                return (self, Action::Wait(None));
            }
            ScheduleEvent::Requested => self.woken = Some(Woken { due: now, at_latest: now }),
            ScheduleEvent::Changed => self.woken = Some(self.debounced(now)),
            ScheduleEvent::Resumed => self.soon(now, jitter),
            ScheduleEvent::Ended(end) => self.end(end, now, jitter),
            ScheduleEvent::TimingChanged(timing) => {
                self.timing = timing;
                self.due = self.turn_after(now);
            }
        }
        let action = self.action(now);
        (self, action)
    }

    fn soon(&mut self, now: Duration, jitter: &Jitter) {
        let soon = now.saturating_add(jitter.up_to(AFTER_RESUME.min(self.cap())));
        self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
    }

    fn action(&mut self, now: Duration) -> Action {
        if self.is_running {
            return Action::Wait(None);
        }
        match self.due() {
            Some(due) if due <= now => {
                (self.due, self.woken, self.renewal, self.is_running) = (None, None, None, true);
                Action::Turn
            }
            due => Action::Wait(due),
        }
    }

    fn end(&mut self, end: End, now: Duration, jitter: &Jitter) {
        self.is_running = false;
        match end {
            End::Success => {
                self.succeed();
                self.due = self.turn_after(now);
            }
            End::Postponed(pause) => {
                self.succeed();
                // The pause is rounded, so its end may be slightly too early.
                let over = now.saturating_add(pause).saturating_add(FIRST_PAUSE);
                self.due = Some(self.turn_after(now).map_or(over, |turn| turn.min(over)));
            }
            End::Failure => {
                let turn = self.turn_after(now);
                self.failures = self.failures.saturating_add(1);
                self.due = [turn, self.retry(now, turn, jitter)].into_iter().flatten().min();
            }
        }
    }

    fn succeed(&mut self) {
        self.published = Published::Something;
        self.failures = 0;
    }

    /// Returns the moment of a retry before the next turn, if the budget allows one.
    fn retry(&mut self, now: Duration, turn: Option<Duration>, jitter: &Jitter) -> Option<Duration> {
        let window = self.window();
        while self.retries.front().is_some_and(|retry| retry.saturating_add(window) <= now) {
            self.retries.pop_front();
        }
        let longest = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures - 1)).min(self.cap());
        let retry = now.saturating_add(jitter.up_to(longest));
        let is_spent = self.retries.len() as u128 >= most_retries(window, self.cap());
        if is_spent && turn.is_some() || turn.is_some_and(|turn| turn <= retry) {
            return None;
        }
        // If nothing else causes a turn, the retry is postponed until the budget allows it.
        let free =
            if is_spent { self.retries.front().map(|first| first.saturating_add(window)) } else { None };
        let retry = free.map_or(retry, |free| free.max(retry));
        self.retries.push_back(retry);
        Some(retry)
    }

    /// Spends the budget except for this many retries, because a daemon that is restarted again and again must not poll
    /// more often.
    fn spend(&mut self, now: Duration, left: u128) {
        let spent = most_retries(self.window(), self.cap()).saturating_sub(left);
        self.retries = std::iter::repeat_n(now, usize::try_from(spent).unwrap_or_default()).collect();
    }

    /// Returns the time window in which retries are counted.
    fn window(&self) -> Duration {
        WINDOW.max(self.cap().saturating_mul(2))
    }

    fn debounced(&self, now: Duration) -> Woken {
        let at_latest = self.woken.map_or(now.saturating_add(LONGEST_DEBOUNCE), |woken| woken.at_latest);
        let due = now.saturating_add(self.timing.debounce.min(LONGEST_DEBOUNCE)).min(at_latest);
        Woken { due, at_latest }
    }

    /// Returns the first moment with the phase of this host after a moment.
    fn turn_after(&self, now: Duration) -> Option<Duration> {
        if self.timing.interval.is_none() && self.published == Published::Something {
            return None;
        }
        let (interval, phase) = (self.cap().as_nanos(), self.timing.phase.as_nanos());
        let since_turn = (now.as_nanos() + interval - phase % interval) % interval;
        let pause = u64::try_from(interval - since_turn).map_or(Duration::MAX, Duration::from_nanos);
        Some(now.saturating_add(pause))
    }

    fn cap(&self) -> Duration {
        let interval = self.timing.interval.unwrap_or(WITHOUT_INTERVAL);
        match self.published {
            Published::Something => interval,
            Published::Nothing => interval.min(WITHOUT_INTERVAL),
        }
    }
}

/// Returns the maximum number of retries within a window: half the number of turns.
fn most_retries(window: Duration, interval: Duration) -> u128 {
    (window.as_nanos() / (2 * interval.as_nanos().max(1))).max(1)
}

#[cfg(test)]
mod tests;
