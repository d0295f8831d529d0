//! A world: what happens in it, what the daemon asks of it, and what it holds the daemon to.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use secretdir_engine::{Event, Host, News, Standing, State, Wakeup, WatchHost};
use secretdir_provider::{Clock, Jitter};

use crate::store::store;

/// Ten years, in milliseconds.
const TEN_YEARS: i64 = 10 * 365 * 86_400_000;

/// Numbers that look random, and come again with the seed (xorshift64*, Vigna 2016).
#[derive(Clone)]
struct Chance(Arc<AtomicU64>);

impl Chance {
    fn below(&self, bound: u64) -> u64 {
        let mut state = self.0.load(Ordering::SeqCst);
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        self.0.store(state, Ordering::SeqCst);
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % bound.max(1)
    }
}

/// The date at the start of the machine, in milliseconds since 1970: in the year 2096.
const FIRST_DATE: i64 = 4_000_000_000_000;

/// What happens in the world.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Changes,
    GoesDown,
    IsBack,
    Sleeps(u64),
    DateIsSet(i64),
    Asks,
    Reloads,
    Restarts,
    Ends,
}

/// One life.
pub(crate) struct World {
    link: PathBuf,
    /// Milliseconds between two turns.
    interval: u64,
    chance: Chance,
    /// Milliseconds since the start of the machine.
    now: Arc<AtomicU64>,
    /// By how much the date is off.
    date: Arc<AtomicI64>,
    left: RefCell<VecDeque<(u64, Happens)>>,
    is_in_turn: Cell<bool>,
    pub(crate) is_over: Cell<bool>,
    /// Since when the daemon runs, the store is up, and its secret is what it is.
    settled_since: Cell<u64>,
    attempts: RefCell<Vec<u64>>,
    /// When something caused a turn that was not the schedule.
    woken: RefCell<Vec<u64>>,
    pub(crate) succeeded_at: Cell<Option<u64>>,
    pub(crate) published: Cell<u64>,
}

impl World {
    pub(crate) fn new(seed: u64, days: u64, interval: Duration, link: PathBuf) -> Self {
        let chance = Chance(Arc::new(AtomicU64::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)));
        let end = days * 86_400_000;
        let mut left: Vec<_> = (0..days * 30)
            .flat_map(|_| {
                let at = chance.below(end);
                let up = at + chance.below(2 * 3_600_000);
                match chance.below(10) {
                    0..4 => vec![(at, Happens::Changes)],
                    4 => vec![(at, Happens::GoesDown), (up, Happens::IsBack)],
                    5 => vec![(at, Happens::Sleeps(chance.below(8 * 3_600_000)))],
                    6 => vec![(
                        at,
                        Happens::DateIsSet(if chance.below(2) == 0 { TEN_YEARS } else { -TEN_YEARS }),
                    )],
                    7 => vec![(at, Happens::Asks)],
                    8 => vec![(at, Happens::Reloads)],
                    _ => vec![(at, Happens::Restarts)],
                }
            })
            .collect();
        left.push((end, Happens::Ends));
        left.sort_by_key(|(at, _)| *at);
        Self {
            link,
            interval: u64::try_from(interval.as_millis()).unwrap(),
            chance,
            now: Arc::default(),
            date: Arc::default(),
            left: RefCell::new(left.into()),
            is_in_turn: Cell::new(false),
            is_over: Cell::new(false),
            settled_since: Cell::new(0),
            attempts: RefCell::default(),
            woken: RefCell::default(),
            succeeded_at: Cell::new(None),
            published: Cell::new(0),
        }
    }

    fn now(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    fn pass_to(&self, moment: u64) {
        let now = self.now().max(moment);
        // Whatever changed an interval ago, and half a minute for a turn, is published.
        if now > self.settled_since.get() + self.interval + 30_000 && !store().is_down.load(Ordering::SeqCst)
        {
            let version = store().version.load(Ordering::SeqCst).to_string();
            assert_eq!(fs::read_to_string(self.link.join("token")).ok(), Some(version), "at {now} ms");
        }
        self.now.store(now, Ordering::SeqCst);
    }

    pub(crate) fn settle_anew(&self) {
        self.settled_since.set(self.now());
    }

    /// Lets one thing happen.
    fn happen(&self, happens: Happens) -> Option<Wakeup> {
        let wakeup = match happens {
            Happens::Changes => {
                store().version.fetch_add(1, Ordering::SeqCst);
                None
            }
            Happens::GoesDown | Happens::IsBack => {
                store().is_down.store(matches!(happens, Happens::GoesDown), Ordering::SeqCst);
                None
            }
            Happens::Sleeps(time) => {
                // Nobody publishes while the machine sleeps.
                self.now.fetch_add(time, Ordering::SeqCst);
                Some(Wakeup::Resumed)
            }
            Happens::DateIsSet(by) => {
                // No calendar begins before 1970: what would be set back so far is set forward.
                let is_too_far = FIRST_DATE + self.date.load(Ordering::SeqCst) + by < TEN_YEARS;
                self.date.fetch_add(if is_too_far { -by } else { by }, Ordering::SeqCst);
                return None;
            }
            Happens::Asks => Some(Wakeup::Refresh),
            Happens::Reloads => Some(Wakeup::Reload),
            Happens::Restarts => Some(Wakeup::Stop),
            Happens::Ends => {
                self.is_over.set(true);
                Some(Wakeup::Stop)
            }
        };
        if wakeup.is_some() {
            self.woken.borrow_mut().push(self.now());
        }
        if !matches!(happens, Happens::Asks | Happens::Reloads) {
            self.settle_anew();
        }
        wakeup
    }

    fn wakeup(&self, until: Option<Duration>) -> Wakeup {
        let until = until.map(|until| u64::try_from(until.as_millis()).unwrap() + 1);
        loop {
            let next = self.left.borrow().front().map(|(at, _)| *at);
            if until.is_some_and(|until| next.is_none_or(|next| until <= next)) {
                self.pass_to(until.unwrap_or_default());
                return Wakeup::Due;
            }
            let Some((at, happens)) = self.left.borrow_mut().pop_front() else { return Wakeup::Stop };
            self.pass_to(at);
            if let Some(wakeup) = self.happen(happens) {
                return wakeup;
            }
        }
    }

    /// Checks what a turn has come to.
    fn ended(&self, outcome: Option<State>, standing: &Standing) {
        let now = self.now();
        if let Some(state) = outcome {
            self.succeeded_at.set(Some(now));
            // It is taken away after each look: one that is there was touched since.
            let is_touched = fs::remove_file(self.link.with_file_name("changed")).is_ok();
            assert_eq!(is_touched, state == State::Published, "the stamp of a turn that was {state:?}");
            self.published.set(self.published.get() + u64::from(state == State::Published));
        }
        if let Some(succeeded) = self.succeeded_at.get() {
            let age = standing.freshness.age(&self.clock()).unwrap();
            assert_eq!(age, Duration::from_millis(now - succeeded), "the age of the last success");
            assert_eq!(standing.freshness.is_stale(&self.clock()), age > self.longest_age());
        }
        let left = fs::read_dir(self.link.parent().unwrap()).unwrap().count();
        assert!(left < 20, "{left} entries beside the link");
    }

    /// The age at which a set is stale.
    fn longest_age(&self) -> Duration {
        Duration::from_millis(3 * self.interval)
    }

    /// Returns how many turns there were.
    pub(crate) fn turns(&self) -> usize {
        self.attempts.borrow().len()
    }

    /// Checks how often the store was asked.
    pub(crate) fn check_attempts(&self) {
        // Two in each interval that the hour is in, and the first turn of all.
        let most = usize::try_from(2 * 3_600_000_u64.div_ceil(self.interval) + 1).unwrap();
        let (attempts, woken) = (self.attempts.borrow(), self.woken.borrow());
        let within = |all: &[u64], hour: &Range<u64>| all.iter().filter(|at| hour.contains(at)).count();
        for start in attempts.iter() {
            let asked = within(&attempts, &(*start..start + 3_600_000));
            let woken = within(&woken, &(start.saturating_sub(20_000)..start + 3_600_000));
            assert!(asked <= most + woken, "{asked} attempts in the hour after {start} ms, {woken} wake-ups");
        }
    }
}

impl Host for World {
    fn clock(&self) -> Clock {
        let (now, since, off) = (Arc::clone(&self.now), Arc::clone(&self.now), Arc::clone(&self.date));
        let date = move || {
            let millis = i64::try_from(since.load(Ordering::SeqCst)).unwrap() + off.load(Ordering::SeqCst);
            UNIX_EPOCH + Duration::from_millis(u64::try_from(FIRST_DATE + millis).unwrap())
        };
        Clock::new(move || Duration::from_millis(now.load(Ordering::SeqCst))).with_date(date)
    }

    fn jitter(&self) -> Jitter {
        let chance = self.chance.clone();
        Jitter::new(move |longest| {
            longest.mul_f64(f64::from(u32::try_from(chance.below(1 << 20)).unwrap()) / f64::from(1 << 20))
        })
    }

    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        // So long is only the deadline of a gathering.
        if pause > Duration::from_secs(50) {
            return Box::pin(std::future::pending());
        }
        self.now.fetch_add(u64::try_from(pause.as_millis()).unwrap(), Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }

    fn event(&self, _: Event<'_>) {}
}

impl WatchHost for World {
    fn machine(&self) -> String {
        "simulated".to_owned()
    }

    fn wait(&self, until: Option<Duration>) -> Pin<Box<dyn Future<Output = Wakeup> + '_>> {
        if self.is_in_turn.get() {
            return Box::pin(std::future::pending());
        }
        Box::pin(async move { self.wakeup(until) })
    }

    fn watch_files(&self, _: &[PathBuf], _: &Path, _: Option<&Path>) {}

    fn news(&self, news: &News<'_>, standing: &Standing) {
        match news {
            News::Stale => {
                let age = standing.freshness.age(&self.clock());
                assert!(age.is_none_or(|age| age > self.longest_age()), "stale after {age:?}");
            }
            News::TurnBegins { longest } => {
                // A gathering of a minute, two waits for another run, and the disk.
                assert_eq!(*longest, Duration::from_secs(60 + 2 * 90 + 600));
                assert!(!self.is_in_turn.replace(true), "two turns at once");
                self.attempts.borrow_mut().push(self.now());
            }
            News::TurnEnded(result) => {
                self.is_in_turn.set(false);
                self.ended(result.as_ref().ok().map(|outcome| outcome.state), standing);
            }
            _ => {}
        }
    }
}
