//! Each rule by itself, with chance that is known.

use secretdir_provider::Jitter;

use super::{INTERVAL, timing};
use crate::watch::schedule::*;

/// Chance that always takes the same part of what it may.
fn always(part: f64) -> Jitter {
    Jitter::new(move |longest| longest.mul_f64(part))
}

/// A host that has a set, at the moment zero. Its turns come at whole intervals. It was started long ago.
fn settled(interval: Duration, jitter: &Jitter) -> Schedule {
    let mut schedule = started(timing(interval, Duration::ZERO), jitter);
    schedule.retries.clear();
    schedule
}

/// A host that has a set, and is started at the moment zero.
fn started(timing: Timing, jitter: &Jitter) -> Schedule {
    Schedule::new(timing).next(ScheduleEvent::Started(Published::Something), Duration::ZERO, jitter).0
}

/// Counts the failures, of 40 in a row, after which a retry comes within a second.
fn quick_retries(schedule: &mut Schedule, from: Duration) -> usize {
    let jitter = always(0.0001);
    let mut is_retry = |millis: u64| {
        let now = from + Duration::from_millis(millis);
        let (next, action) = schedule.clone().next(ScheduleEvent::Ended(End::Failure), now, &jitter);
        *schedule = next;
        matches!(action, Action::Wait(Some(due)) if due < now + Duration::from_secs(1))
    };
    (1..=40).filter(|millis| is_retry(*millis)).count()
}

/// Returns how long after each of so many failures in a row the next retry comes.
fn pauses(interval: Duration, part: f64, count: usize) -> Vec<f64> {
    let (jitter, now) = (always(part), Duration::from_millis(1));
    let mut schedule = settled(interval, &jitter);
    let failures = (0..count).map(|_| {
        let (next, action) = schedule.clone().next(ScheduleEvent::Ended(End::Failure), now, &jitter);
        schedule = next;
        let Action::Wait(Some(due)) = action else { panic!("{action:?}") };
        (due - now).as_secs_f64()
    });
    failures.collect()
}

#[test]
fn pauses_are_a_random_part_of_1_2_4_8_seconds_and_of_the_interval_at_the_most() {
    let minute = Duration::from_secs(60);
    assert_eq!(pauses(minute, 0.5, 9), [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);
    assert_eq!(pauses(minute, 0.25, 8), [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]);
}

#[test]
fn success_forgets_the_failures() {
    let (jitter, at) = (always(0.5), Duration::from_secs);
    let mut schedule = settled(INTERVAL, &jitter);
    for end in [End::Failure, End::Failure, End::Failure, End::Success] {
        schedule = schedule.next(ScheduleEvent::Ended(end), at(1), &jitter).0;
    }
    let (_, action) = schedule.next(ScheduleEvent::Ended(End::Failure), at(2), &jitter);
    assert_eq!(action, Action::Wait(Some(Duration::from_millis(2500))));
}

#[test]
fn retries_have_a_budget_of_half_as_many_as_turns_which_comes_back_after_an_hour_or_two_intervals() {
    let second = Duration::from_secs(1);
    for (interval, most, window) in [(300, 6, 3600), (60, 30, 3600), (3600, 1, 7200), (7200, 1, 14_400)] {
        let interval = second * interval;
        let mut schedule = settled(interval, &always(1.0));
        let mut retries = |from| quick_retries(&mut schedule, from);
        assert_eq!(retries(Duration::ZERO), most, "of {interval:?}");
        assert_eq!(retries(second * (window - 2)), 0, "of {interval:?} before the end of {window} s");
        assert_eq!(retries(second * (window + 1)), most, "of {interval:?} after {window} s");
    }
}

#[test]
fn whoever_is_started_again_and_again_has_one_retry_each_time_until_an_hour_is_over() {
    let second = Duration::from_secs(1);
    let mut schedule = started(timing(INTERVAL, Duration::ZERO), &always(1.0));
    let mut retries = |from| quick_retries(&mut schedule, from);
    assert_eq!(retries(Duration::ZERO), 1);
    assert_eq!(retries(second * 3598), 0);
    assert_eq!(retries(second * 3601), 6);
}

#[test]
fn a_start_after_an_edit_causes_a_turn_instead_of_a_retry() {
    let (jitter, at) = (always(1.0), Duration::from_secs);
    let edited =
        started(timing(INTERVAL, Duration::ZERO), &jitter).next(ScheduleEvent::Edited, at(0), &jitter);
    assert_eq!(edited.1, Action::Wait(Some(at(10))));
    let mut schedule = edited.0.next(ScheduleEvent::Due, at(10), &jitter).0;
    assert_eq!(quick_retries(&mut schedule, at(10)), 0);
    assert_eq!(quick_retries(&mut schedule, at(3601)), 6);
    // Whoever waits for the first set has all of them.
    let nothing = Schedule::new(timing(INTERVAL, Duration::ZERO));
    let nothing = nothing.next(ScheduleEvent::Started(Published::Nothing), at(0), &jitter).0;
    let mut schedule = nothing.next(ScheduleEvent::Edited, at(0), &jitter).0;
    assert_eq!(quick_retries(&mut schedule, at(0)), 6);
}

#[test]
fn whoever_asks_gets_a_turn_at_once() {
    let jitter = always(1.0);
    let (_, action) =
        settled(INTERVAL, &jitter).next(ScheduleEvent::Requested, Duration::from_secs(1), &jitter);
    assert_eq!(action, Action::Turn);
}

#[test]
fn another_interval_counts_from_now_on() {
    let (jitter, at) = (always(0.5), Duration::from_secs);
    let retimed = ScheduleEvent::TimingChanged(timing(at(60), at(7)));
    let (_, action) = settled(INTERVAL, &jitter).next(retimed, at(10), &jitter);
    assert_eq!(action, Action::Wait(Some(at(67))));
}

#[test]
fn after_a_resume_a_turn_comes_within_ten_seconds_at_a_random_moment() {
    let (at, resumed) = (Duration::from_secs, ScheduleEvent::Resumed);
    for (part, due) in [(0.25, at(102) + at(1) / 2), (1.0, at(110))] {
        let jitter = always(part);
        let (schedule, action) = settled(INTERVAL, &jitter).next(resumed, at(100), &jitter);
        assert_eq!(action, Action::Wait(Some(due)));
        // It puts nothing off.
        let (_, action) = schedule.next(resumed, at(101), &always(1.0));
        assert_eq!(action, Action::Wait(Some(due.min(at(111)))));
    }
    let (_, action) = settled(at(4), &always(1.0)).next(resumed, at(1), &always(1.0));
    assert_eq!(action, Action::Wait(Some(at(4))));
}

#[test]
fn a_renewal_comes_between_the_turns_and_not_in_a_loop() {
    let (jitter, at) = (always(0.5), Duration::from_secs);
    let held = |until| settled(INTERVAL, &jitter).next(ScheduleEvent::RenewalDue(until), at(10), &jitter).0;
    let (schedule, action) = held(Some(at(20))).next(ScheduleEvent::Due, at(19), &jitter);
    assert_eq!(action, Action::Wait(Some(at(20))));
    let (schedule, action) = schedule.next(ScheduleEvent::Due, at(20), &jitter);
    assert_eq!(action, Action::Turn);
    let (_, action) = schedule.next(ScheduleEvent::Ended(End::Success), at(21), &jitter);
    assert_eq!(action, Action::Wait(Some(INTERVAL)));
    // One that is due already is waited for a second.
    let (_, action) = held(Some(at(5))).next(ScheduleEvent::Due, at(10), &jitter);
    assert_eq!(action, Action::Wait(Some(at(11))));
    let (_, action) = held(None).next(ScheduleEvent::Due, at(10), &jitter);
    assert_eq!(action, Action::Wait(Some(INTERVAL)));
}

#[test]
fn a_restart_waits_for_its_phase_and_a_first_run_does_not() {
    let (jitter, phase) = (always(0.5), Duration::from_secs(17));
    let started = |published| {
        Schedule::new(timing(INTERVAL, phase))
            .next(ScheduleEvent::Started(published), Duration::from_secs(600), &jitter)
            .1
    };
    assert_eq!(started(Published::Nothing), Action::Turn);
    assert_eq!(started(Published::Something), Action::Wait(Some(Duration::from_secs(617))));
}

#[test]
fn wake_ups_are_gathered_and_one_during_a_turn_causes_another() {
    let jitter = always(0.5);
    let at = Duration::from_millis;
    let schedule = Schedule::new(Timing { interval: None, ..timing(INTERVAL, Duration::ZERO) });
    let (schedule, action) = schedule.next(ScheduleEvent::Started(Published::Something), at(0), &jitter);
    assert_eq!(action, Action::Wait(None));
    let (schedule, action) = schedule.next(ScheduleEvent::Changed, at(1000), &jitter);
    assert_eq!(action, Action::Wait(Some(at(1500))));
    let (mut schedule, action) = schedule.next(ScheduleEvent::Changed, at(1400), &jitter);
    assert_eq!(action, Action::Wait(Some(at(1900))));
    // Changes that never end put it off for ten seconds and no longer.
    for millis in (1800..11_000).step_by(400) {
        let (next, action) = schedule.next(ScheduleEvent::Changed, at(millis), &jitter);
        assert!(matches!(action, Action::Wait(Some(due)) if due <= at(11_000)), "{action:?}");
        schedule = next;
    }
    let (schedule, action) = schedule.next(ScheduleEvent::Due, at(11_000), &jitter);
    assert_eq!(action, Action::Turn);
    let (schedule, action) = schedule.next(ScheduleEvent::Requested, at(11_001), &jitter);
    assert_eq!(action, Action::Wait(None));
    let (schedule, action) = schedule.next(ScheduleEvent::Ended(End::Success), at(12_000), &jitter);
    assert_eq!(action, Action::Turn);
    let (_, action) = schedule.next(ScheduleEvent::Ended(End::Success), at(13_000), &jitter);
    assert_eq!(action, Action::Wait(None));
}

#[test]
fn a_command_that_is_put_off_causes_a_turn_when_its_pause_is_over() {
    let jitter = always(0.5);
    let at = Duration::from_secs;
    let ended = |interval, pause| {
        let schedule = Schedule::new(Timing { interval, ..timing(INTERVAL, Duration::ZERO) });
        let (schedule, _) = schedule.next(ScheduleEvent::Started(Published::Nothing), at(1), &jitter);
        schedule.next(ScheduleEvent::Ended(End::Postponed(at(pause))), at(2), &jitter).1
    };
    assert_eq!(ended(None, 57), Action::Wait(Some(at(60))));
    assert_eq!(ended(Some(INTERVAL), 57), Action::Wait(Some(at(60))));
    assert_eq!(ended(Some(INTERVAL), 3000), Action::Wait(Some(INTERVAL)));
    // The turn was a success: a set is there, so five minutes are not the interval any more.
    assert_eq!(ended(Some(at(3600)), 4000), Action::Wait(Some(at(3600))));
}

#[test]
fn the_first_success_ends_the_haste_of_a_host_that_has_nothing() {
    let jitter = always(0.5);
    let at = Duration::from_secs;
    for (interval, due) in [(None, None), (Some(at(3600)), Some(at(3600)))] {
        let schedule = Schedule::new(Timing { interval, ..timing(INTERVAL, Duration::ZERO) });
        let (schedule, _) = schedule.next(ScheduleEvent::Started(Published::Nothing), at(1), &jitter);
        let (_, action) = schedule.next(ScheduleEvent::Ended(End::Success), at(2), &jitter);
        assert_eq!(action, Action::Wait(due));
    }
}

#[test]
fn while_nothing_is_published_five_minutes_count_as_a_longer_interval() {
    let (jitter, at) = (always(1.0), Duration::from_secs);
    let schedule = Schedule::new(timing(at(3600), Duration::ZERO));
    let (mut schedule, action) = schedule.next(ScheduleEvent::Started(Published::Nothing), at(1), &jitter);
    assert_eq!(action, Action::Turn);
    // The retries of an hour are used up meanwhile.
    for _ in 0..20 {
        let (next, action) = schedule.next(ScheduleEvent::Ended(End::Failure), at(1), &jitter);
        assert!(matches!(action, Action::Wait(Some(due)) if due <= at(300)), "{action:?}");
        schedule = next;
    }
    let (_, action) = schedule.next(ScheduleEvent::Ended(End::Success), at(2), &jitter);
    assert_eq!(action, Action::Wait(Some(at(3600))));
}

#[test]
fn a_retry_that_would_come_after_the_turn_is_left_out_and_costs_nothing_of_the_budget() {
    let (jitter, millis) = (always(1.0), Duration::from_millis);
    let mut schedule = settled(Duration::from_secs(60), &jitter);
    for _ in 0..30 {
        let (next, action) = schedule.next(ScheduleEvent::Ended(End::Failure), millis(59_500), &jitter);
        assert_eq!(action, Action::Wait(Some(millis(60_000))));
        schedule = next;
    }
    let (schedule, _) = schedule.next(ScheduleEvent::Ended(End::Success), millis(60_000), &jitter);
    let (_, action) = schedule.next(ScheduleEvent::Ended(End::Failure), millis(61_000), &jitter);
    assert_eq!(action, Action::Wait(Some(millis(62_000))));
}

#[test]
fn where_only_changes_cause_turns_a_retry_comes_when_the_budget_allows_it() {
    let (jitter, at) = (always(0.0), Duration::from_secs);
    let mut schedule = started(Timing { interval: None, ..timing(INTERVAL, Duration::ZERO) }, &jitter);
    schedule.retries.clear();
    let failures = (1..=8).map(|second| {
        let (next, action) = schedule.clone().next(ScheduleEvent::Ended(End::Failure), at(second), &jitter);
        schedule = next;
        action
    });
    let failures: Vec<_> = failures.collect();
    assert!(failures[..6].iter().all(|action| *action == Action::Turn), "{failures:?}");
    // The first one was an hour before.
    assert_eq!(failures[6..], [Action::Wait(Some(at(3601))); 2]);
}
