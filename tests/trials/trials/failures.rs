//! Every system call of a run fails, once or from then on, in every way that a filesystem may let it fail: nothing is torn,
//! nothing panics, the result agrees with what the link shows, and the next run leaves nothing of it.

use atomicdir_trials::{Outcome, shown};
use secretdir_testkit::strace::{Call, Injected};

use crate::scenarios::{FIRST_PUBLISH, HEAL, NO_OP, Scenario, UPDATE};

const ERRORS: &[&str] = &["EIO", "ENOSPC", "EACCES", "EPERM", "EMFILE", "ENOMEM", "EROFS", "EDQUOT"];

/// A call that is interrupted may be tried again, and a kernel does not interrupt it for ever.
const INTERRUPTIONS: usize = 3;

#[test]
fn a_first_publish_survives_any_failure() {
    fail_everywhere(&FIRST_PUBLISH);
}

#[test]
fn an_update_survives_any_failure() {
    fail_everywhere(&UPDATE);
}

#[test]
fn a_run_that_changes_nothing_survives_any_failure() {
    fail_everywhere(&NO_OP);
}

#[test]
fn a_heal_survives_any_failure() {
    fail_everywhere(&HEAL);
}

fn fail_everywhere(scenario: &Scenario) {
    let reference = scenario.sync.trace(&scenario.prepare());
    // Who one is can always be told (POSIX.1: these functions are always successful).
    let points = reference.calls.iter().filter(|call| !matches!(call.name.as_str(), "geteuid" | "getegid"));
    for point in points {
        for fault in faults(point) {
            fail_at(scenario, &fault);
        }
    }
}

fn faults(point: &Call) -> impl Iterator<Item = String> {
    let lasting = ERRORS.iter().map(|error| point.lasting_fault(&format!("error={error}")));
    let once = ERRORS.iter().map(|error| point.fault(&format!("error={error}")));
    let until = point.nth + INTERRUPTIONS - 1;
    let interrupted = [point.fault("error=EINTR"), format!("{}..{until}", point.fault("error=EINTR"))];
    once.chain(lasting).chain(interrupted)
}

fn fail_at(scenario: &Scenario, fault: &str) {
    let place = scenario.prepare();
    let Injected { ran, times } = scenario.sync.inject(&place, fault);
    let context = format!("{scenario:?} with {fault}: {ran:?}");
    assert!(times > 0, "did not come: {context}");
    let now = shown(&place.link()).unwrap_or_else(|torn| panic!("{context}: {torn}"));
    let (old, new) = (scenario.old(), Some(scenario.sync.set));
    // A publisher that cannot write cannot say why, either.
    let says = |text| ran.stderr.contains(text) || fault.starts_with("write:");
    let agrees = match ran.status.code() {
        Some(code) if code == Outcome::Published as i32 => now == new && old != new,
        Some(code) if code == Outcome::Unchanged as i32 => now == new && old == new,
        Some(code) if code == Outcome::Unsettled as i32 => {
            now == new && (says("(step 10, ") || says("(step 9, "))
        }
        Some(code) if code == Outcome::Failed as i32 => now == old && says("(step "),
        _ => false,
    };
    assert!(agrees, "shows {now:?}: {context}");
    scenario.assert_next_run_clears_up(&place, &context);
}
