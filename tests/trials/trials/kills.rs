//! SIGKILL before every system call of a run, from the opening of the folder on: then the link names a complete old or a
//! complete new set, the next run succeeds, and nothing of the killed run is left after it.

use std::os::unix::process::ExitStatusExt;

use atomicdir::Status;
use atomicdir_trials::{Outcome, shown};
use secretdir_testkit::strace::Call;

use crate::scenarios::{FIRST_PUBLISH, HEAL, NO_OP, Scenario, UPDATE};
use crate::support::SETTLED;

#[test]
fn a_first_publish_survives_a_kill_anywhere() {
    kill_everywhere(&FIRST_PUBLISH, 40);
}

#[test]
fn an_update_survives_a_kill_anywhere() {
    kill_everywhere(&UPDATE, 80);
}

#[test]
fn a_run_that_changes_nothing_survives_a_kill_anywhere() {
    kill_everywhere(&NO_OP, 40);
}

#[test]
fn a_heal_survives_a_kill_anywhere() {
    kill_everywhere(&HEAL, 80);
}

/// Kills at every point, of which there must be at least this many: fewer were not all of a run.
fn kill_everywhere(scenario: &Scenario, least: usize) {
    let reference = scenario.sync.trace(&scenario.prepare());
    assert!(matches!(reference.ran.status.code(), Some(0 | 10)), "{:?}", reference.ran);
    assert!(reference.calls.len() >= least, "{}: {:#?}", reference.calls.len(), reference.calls);
    for point in &reference.calls {
        kill_at(scenario, point);
    }
}

fn kill_at(scenario: &Scenario, point: &Call) {
    let place = scenario.prepare();
    let ran = scenario.sync.inject(&place, &point.fault("signal=SIGKILL")).ran;
    assert_eq!(ran.status.signal(), Some(9), "{point:?} did not come: {ran:?}");
    let context = format!("killed at {point:?}");
    let now = shown(&place.link()).unwrap_or_else(|torn| panic!("{context}: {torn}"));
    assert!(now == scenario.old() || now == Some(scenario.sync.set), "{context}: {now:?}");
    if now.is_none() {
        // The lock was made, and nothing has succeeded yet.
        assert_eq!(Status::of(place.link()).unwrap().last_success, None, "{context}");
    }
    scenario.assert_next_run_clears_up(&place, &context);
}

/// What is half removed is of no use to anyone: it does not wait for its time again.
#[test]
fn a_removal_that_is_killed_half_way_is_finished_whatever_is_retained() {
    let reference = UPDATE.sync.trace(&UPDATE.prepare());
    let removals: Vec<_> = reference.calls.iter().filter(|call| call.name == "unlinkat").collect();
    assert!(removals.len() > 5, "{:#?}", reference.calls);
    for point in removals {
        let place = UPDATE.prepare();
        UPDATE.sync.inject(&place, &point.fault("signal=SIGKILL"));
        place.publish_keeping(UPDATE.sync.set, Outcome::Unchanged);
        assert_eq!(place.names(), SETTLED, "killed at {point:?}");
    }
}
