//! Long lives of the schedule alone, in a world that fails, sleeps and wakes.

mod rules;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;

const INTERVAL: Duration = Duration::from_secs(300);

/// Numbers that look random and come again with the seed (xorshift64*, Vigna 2016).
#[derive(Clone)]
struct Chance(Arc<Mutex<u64>>);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)))
    }

    fn draw(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    fn below(&self, bound: u64) -> u64 {
        self.draw() % bound.max(1)
    }

    fn jitter(&self) -> Jitter {
        let chance = self.clone();
        Jitter::new(move |longest| longest.mul_f64(chance.draw() as f64 / f64::from(u32::MAX)))
    }
}

fn timing(interval: Duration, phase: Duration) -> Timing {
    Timing { interval: Some(interval), phase, debounce: Duration::from_millis(500) }
}

/// What one host has lived through.
#[derive(Default)]
struct Life {
    attempts: Vec<Duration>,
    successes: Vec<Duration>,
    /// When each wake-up came that was not a moment of the schedule's own.
    woken: Vec<Duration>,
}

/// When the store is down: between these moments.
type Outages = Vec<(Duration, Duration)>;

fn is_down(outages: &Outages, now: Duration) -> bool {
    outages.iter().any(|(from, to)| (*from..*to).contains(&now))
}

/// Lets a host live until a moment. Events are what comes from outside, in order of time.
fn live(
    timing: Timing,
    first: Published,
    outages: &Outages,
    events: &[(Duration, ScheduleEvent)],
    until: Duration,
    chance: &Chance,
) -> Life {
    let jitter = chance.jitter();
    let mut life = Life::default();
    let (mut schedule, mut action) =
        Schedule::new(timing).next(ScheduleEvent::Started(first), Duration::ZERO, &jitter);
    let (mut now, mut events) = (Duration::ZERO, events.iter().peekable());
    let mut ends: Option<Duration> = None;
    while now < until {
        let due = match action {
            Action::Turn => {
                assert!(ends.is_none(), "two turns at once");
                life.attempts.push(now);
                ends = Some(now + Duration::from_millis(chance.below(20_000)));
                ends
            }
            Action::Wait(due) => [due, ends].into_iter().flatten().min(),
        };
        let outside = events.peek().map(|(at, _)| *at);
        let Some(next) = [due, outside].into_iter().flatten().min() else { break };
        now = next.max(now);
        let happened = if outside == Some(next) {
            let (at, happened) = *events.next().unwrap();
            life.woken.push(at);
            happened
        } else if ends == Some(next) {
            ends = None;
            let is_good = !is_down(outages, now) && chance.below(50) > 0;
            if is_good {
                life.successes.push(now);
            }
            ScheduleEvent::Ended(if is_good { End::Success } else { End::Failure })
        } else {
            ScheduleEvent::Due
        };
        (schedule, action) = schedule.next(happened, now, &jitter);
    }
    life
}

/// Checks what must hold of any life.
fn check(life: &Life, interval: Duration, outages: &Outages, until: Duration) -> Result<(), String> {
    let hour = Duration::from_secs(3600);
    // Until the first success, retries go by five minutes at the most.
    let first = life.successes.first().copied().unwrap_or(Duration::MAX);
    let most = |at: Duration| {
        let interval = if at <= first { interval.min(WITHOUT_INTERVAL) } else { interval };
        2 * usize::try_from(hour.as_nanos().div_ceil(interval.as_nanos())).unwrap()
    };
    // How many of these moments, which are in order, are before another.
    let before = |all: &[Duration], at: Duration| all.partition_point(|moment| *moment < at);
    let within = |all: &[Duration], from: Duration| before(all, from + hour) - before(all, from);
    for start in &life.attempts {
        let woken = within(&life.woken, start.saturating_sub(AFTER_RESUME));
        let attempts = within(&life.attempts, *start);
        if attempts > most(*start) + woken + 1 {
            return Err(format!("{attempts} attempts in the hour after {start:?}, with {woken} wake-ups"));
        }
    }
    for (_, end) in outages.iter().filter(|(_, end)| *end + interval * 2 < until && !is_down(outages, *end)) {
        // A turn may be under way that has failed already, and it takes 20 seconds.
        let latest = *end + interval + Duration::from_secs(20);
        if before(&life.attempts, latest) == before(&life.attempts, *end) {
            return Err(format!("nothing was asked within an interval after the store was back at {end:?}"));
        }
    }
    Ok(())
}

/// A world of faults and wake-ups, and what became of it.
fn world(seed: u64) -> Result<(), String> {
    let chance = Chance::new(seed);
    let interval =
        Duration::from_secs([1, 10, 60, 300, 3600, 7200][usize::try_from(chance.below(6)).unwrap()]);
    // Thirty days, or nine thousand turns if they come more often.
    let seconds = (30 * 86_400).min(9_000 * interval.as_secs());
    let until = Duration::from_secs(seconds);
    let moment = |chance: &Chance| Duration::from_millis(chance.below(seconds * 1000));
    let outages: Outages = (0..chance.below(20))
        .map(|_| {
            let from = moment(&chance);
            (from, from + Duration::from_secs(chance.below(20_000)))
        })
        .collect();
    let mut events: Vec<_> = (0..chance.below(60))
        .map(|_| {
            let happened = [ScheduleEvent::Requested, ScheduleEvent::Changed, ScheduleEvent::Resumed];
            (moment(&chance), happened[usize::try_from(chance.below(3)).unwrap()])
        })
        .collect();
    events.sort_by_key(|(at, _)| *at);
    let phase = Duration::from_nanos(chance.draw()).min(interval);
    let first = if chance.below(2) == 0 { Published::Something } else { Published::Nothing };
    let life = live(timing(interval, phase), first, &outages, &events, until, &chance);
    check(&life, interval, &outages, until).map_err(|error| format!("seed {seed}: {error}"))
}

/// How many worlds there are: more are asked for by hand.
fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str, usual| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let first = number("SECRETDIR_SEED", 1);
    first..first + number("SECRETDIR_SEEDS", 300)
}

#[test]
fn worlds_of_faults_and_wake_ups_keep_the_rules() {
    for seed in seeds() {
        world(seed).unwrap();
    }
}

#[test]
fn a_change_is_asked_for_within_an_interval_and_nothing_is_ever_given_up() {
    let outages = vec![(Duration::ZERO, Duration::from_secs(86_400 * 365))];
    let until = Duration::from_secs(86_400 * 366);
    let life =
        live(timing(INTERVAL, Duration::ZERO), Published::Nothing, &outages, &[], until, &Chance::new(1));
    assert_eq!(life.attempts[0], Duration::ZERO);
    let longest = life.attempts.windows(2).map(|two| two[1] - two[0]).max().unwrap();
    assert!(longest <= INTERVAL + Duration::from_secs(20), "{longest:?}");
    assert!(
        life.successes.first().unwrap()
            < &(Duration::from_secs(86_400 * 365) + INTERVAL + Duration::from_secs(21))
    );
}

#[test]
fn a_failure_without_an_interval_is_tried_again_and_not_too_often() {
    let chance = Chance::new(3);
    let outages = vec![(Duration::ZERO, Duration::MAX)];
    let without = Timing { interval: None, ..timing(INTERVAL, Duration::ZERO) };
    let life = live(without, Published::Nothing, &outages, &[], Duration::from_secs(86_400), &chance);
    // As often as with an interval of five minutes: nothing is published yet.
    assert!((24 * 12..=24 * 19).contains(&life.attempts.len()), "{}", life.attempts.len());
}

/// Ten thousand hosts, in boxes of ten seconds: the busiest of an interval against the mean of healthy ones.
fn peak(hosts: u64, outage: Outages, from: Duration, until: Duration, first: Published) -> f64 {
    let boxes = Rc::new(RefCell::new(vec![0_u32; usize::try_from(until.as_secs() / 10 + 1).unwrap()]));
    for host in 0..hosts {
        let phase =
            crate::watch::phase::phase(&format!("host-{host}"), "/run/secretdir/app".as_ref(), INTERVAL);
        let life = live(timing(INTERVAL, phase), first, &outage, &[], until, &Chance::new(host + 1));
        for at in life.attempts.iter().filter(|at| (from..until).contains(at)) {
            boxes.borrow_mut()[usize::try_from(at.as_secs() / 10).unwrap()] += 1;
        }
    }
    let mean = hosts as f64 * 10.0 / INTERVAL.as_secs_f64();
    f64::from(*boxes.borrow().iter().max().unwrap()) / mean
}

#[test]
fn a_fleet_never_asks_in_step() {
    let hour = Duration::from_secs(3600);
    // All are started at once, with a set that is published: the steady state comes after that.
    let started = peak(10_000, Vec::new(), Duration::ZERO, hour, Published::Something);
    let steady = peak(10_000, Vec::new(), hour, hour * 2, Published::Something);
    let outage = vec![(hour, hour * 2)];
    let after = peak(10_000, outage, hour * 2, hour * 3, Published::Something);
    assert!(started <= 2.0 && steady <= 2.0 && after <= 2.0, "{started} {steady} {after}");
}

proptest! {
    #[test]
    fn any_order_of_events_is_survived(
        events in prop::collection::vec((0_u64..10_000, 0_usize..7), 0..60),
        interval in prop::option::of(1_u64..100_000),
        phase in 0_u64..100_000,
    ) {
        let timing = Timing { interval: interval.map(Duration::from_millis), phase: Duration::from_millis(phase), debounce: Duration::from_millis(500) };
        let jitter = Chance::new(phase).jitter();
        let mut schedule = Schedule::new(timing);
        let mut now = Duration::ZERO;
        let mut is_running = false;
        for (pause, which) in events {
            now += Duration::from_millis(pause);
            let happened = [
                ScheduleEvent::Started(Published::Something), ScheduleEvent::Due, ScheduleEvent::Requested, ScheduleEvent::Changed, ScheduleEvent::Resumed,
                ScheduleEvent::Ended(if pause % 2 == 0 { End::Success } else { End::Failure }), ScheduleEvent::TimingChanged(timing),
            ][which];
            if matches!(happened, ScheduleEvent::Ended(_)) && !is_running {
                continue;
            }
            let (next, action) = schedule.next(happened, now, &jitter);
            if matches!(happened, ScheduleEvent::Ended(_)) {
                is_running = false;
            }
            prop_assert!(!(is_running && action == Action::Turn), "two turns at once");
            is_running |= action == Action::Turn;
            if let Action::Wait(Some(due)) = action {
                prop_assert!(due > now, "a moment that has passed is waited for");
            }
            schedule = next;
        }
    }
}
