//! When `watch` asks the sources next: a pure function of what has happened. No clock is read here, and nothing waits.
//!
//! Moments are those of a clock that counts from the start of the machine, its sleep included, so a date that is set forward or
//! back moves nothing.
//!
//! 1. **Turns** come at the moments that have the phase of this host within the interval. The phase is a hash of the host and the link
//!    ([`phase`](super::phase)): a fleet never asks in step, however many hosts were started at once.
//! 2. The **first turn** comes at once if nothing is published, otherwise at the first such moment: a restart of the daemon must not be a
//!    refresh of the fleet.
//! 3. **Retries** come between the turns, after a random pause from zero to 1, 2, 4, 8 … seconds, and to the interval at the most: "full
//!    jitter" (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). There is at most one for two turns within an
//!    hour (or within two intervals, if that is longer): so a host that fails asks at most one and a half times as often as one that does
//!    not, and a fleet that recovers does not either. A daemon that is started where something is published has one of them for the
//!    first hour, as what the process before has spent is not known; and none if its configuration was edited, which causes a turn
//!    instead. So a restart costs one attempt. While nothing is published, which somebody may be waiting for, five minutes
//!    count as the interval if it is longer, for turns as well. Success forgets all of it.
//!    An on-change command that has failed twice has a pause of its own, and a turn comes when it is over.
//! 4. **Wake-ups** cause a turn at once, or when nothing more has come for a while (`debounce`), and after ten seconds at the latest.
//!    What comes while a turn is under way causes one more.
//! 5. After a **resume** of the machine a turn comes within ten seconds.
//! 6. A secret that was made for this host is **renewed** when its source has asked for that, between the turns as well. If that fails, it is
//!    a failure like any other, and [`renewal`](super::renewal) says when it is tried again besides.
//!
//! So a change in the store is seen within one interval, and one that a store that was down has got within one interval after it is back.
//! Nothing is ever given up.

use std::collections::VecDeque;
use std::time::Duration;

use secretdir_provider::Jitter;

/// The pause after the first failure, at the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The time in which retries are counted, at least.
const WINDOW: Duration = Duration::from_secs(60 * 60);

/// How long wake-ups that keep coming put a turn off.
const LONGEST_DEBOUNCE: Duration = Duration::from_secs(10);

/// How soon a turn comes after a resume.
const AFTER_RESUME: Duration = Duration::from_secs(10);

/// The interval of retries where no source causes turns, and the longest while nothing is published.
const WITHOUT_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// When turns are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    /// None: only wake-ups cause turns.
    pub(crate) interval: Option<Duration>,
    /// The moment of a turn within the interval.
    pub(crate) phase: Duration,
    pub(crate) debounce: Duration,
}

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// The daemon was started. Something is published, or not.
    Started(Published),
    /// The moment has come that was waited for, or an earlier one.
    Due,
    /// Somebody asks for a turn.
    Asked,
    /// A file has changed, or a source says that something may have.
    Changed,
    /// The machine was asleep.
    Resumed,
    /// The daemon was started, and somebody has edited what it reads since the last success.
    Edited,
    /// A turn has ended.
    Ended(End),
    /// This is the moment at which the first secret is to be renewed. Said before what else happens at the time.
    Held(Option<Duration>),
    /// The configuration says something else.
    Retimed(Timing),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    Something,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Success,
    /// A success, but that the on-change command has failed before, and is repeated after this pause.
    PutOff(Duration),
    Failure,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A turn begins now.
    Turn,
    /// Nothing until this moment; none: until something happens.
    Wait(Option<Duration>),
}

/// What there is to remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    timing: Timing,
    /// When the next turn or retry comes by itself.
    due: Option<Duration>,
    woken: Option<Woken>,
    /// When the first secret is to be renewed.
    renewal: Option<Duration>,
    is_running: bool,
    /// Whether a complete set is there: until then somebody may be waiting for it.
    published: Published,
    /// How many turns have failed in a row.
    failures: u32,
    /// When there were retries.
    retries: VecDeque<Duration>,
}

/// A turn that was asked for.
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

    /// Returns when the next turn comes, if nothing happens before.
    pub(crate) fn due(&self) -> Option<Duration> {
        let woken = self.woken.map(|woken| woken.due);
        [self.due, woken, self.renewal].into_iter().flatten().min()
    }

    /// Says what is to be done after something has happened at a moment.
    pub(crate) fn next(mut self, happened: Happened, now: Duration, jitter: &Jitter) -> (Self, Action) {
        if let Happened::Started(published) = happened {
            self.published = published;
        }
        match happened {
            Happened::Started(Published::Nothing) => self.due = Some(now),
            Happened::Started(Published::Something) => {
                self.due = self.turn_after(now);
                self.spend(now, 1);
            }
            Happened::Edited => {
                self.soon(now, jitter);
                // Without an interval no other turn comes soon.
                if self.published == Published::Something && self.timing.interval.is_some() {
                    self.spend(now, 0);
                }
            }
            Happened::Due => {}
            Happened::Held(renewal) => {
                // A source that wants to be asked at once is asked in a moment.
                self.renewal = renewal.map(|renewal| renewal.max(now.saturating_add(FIRST_PAUSE)));
                return (self, Action::Wait(None));
            }
            Happened::Asked => self.woken = Some(Woken { due: now, at_latest: now }),
            Happened::Changed => self.woken = Some(self.debounced(now)),
            Happened::Resumed => self.soon(now, jitter),
            Happened::Ended(end) => self.end(end, now, jitter),
            Happened::Retimed(timing) => {
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
            End::PutOff(pause) => {
                self.succeed();
                // The moment itself may be a little early.
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

    /// Returns when to try again before the next turn, if that is allowed.
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
        // Where nothing else causes a turn, the next retry is put off until one is allowed.
        let free =
            if is_spent { self.retries.front().map(|first| first.saturating_add(window)) } else { None };
        let retry = free.map_or(retry, |free| free.max(retry));
        self.retries.push_back(retry);
        Some(retry)
    }

    /// Leaves so many retries of the budget: a host whose daemon is started again and again must not ask more often.
    fn spend(&mut self, now: Duration, left: u128) {
        let spent = most_retries(self.window(), self.cap()).saturating_sub(left);
        self.retries = std::iter::repeat_n(now, usize::try_from(spent).unwrap_or_default()).collect();
    }

    /// Returns the time in which retries are counted.
    fn window(&self) -> Duration {
        WINDOW.max(self.cap().saturating_mul(2))
    }

    fn debounced(&self, now: Duration) -> Woken {
        let at_latest = self.woken.map_or(now.saturating_add(LONGEST_DEBOUNCE), |woken| woken.at_latest);
        let due = now.saturating_add(self.timing.debounce.min(LONGEST_DEBOUNCE)).min(at_latest);
        Woken { due, at_latest }
    }

    /// Returns the first moment with the phase of this host after another.
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

/// Returns how many retries there may be within a window: half as many as turns.
fn most_retries(window: Duration, interval: Duration) -> u128 {
    (window.as_nanos() / (2 * interval.as_nanos().max(1))).max(1)
}

#[cfg(test)]
mod tests;
