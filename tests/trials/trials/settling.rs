//! Step 10 of a flip that was not settled: the next run settles it before it retires anything, and a run after a success
//! has nothing to settle.

use atomicdir_trials::{Outcome, Set, shown};
use secretdir_testkit::strace::Call;

use crate::support::{Place, SETTLED, Sync};

const NEW: Sync = Sync { set: Set(2), retain: 0, durability: "filesystem" };

fn positions(calls: &[Call], name: &str) -> Vec<usize> {
    let found = calls.iter().enumerate().filter(|(_, call)| call.name == name);
    found.map(|(position, _)| position).collect()
}

#[test]
fn a_run_that_finds_nothing_to_settle_syncs_nothing() {
    let place = Place::new();
    place.publish(NEW.set, Outcome::Published);
    let trace = NEW.trace(&place);
    assert_eq!(trace.ran.status.code(), Some(Outcome::Unchanged as i32));
    assert!(positions(&trace.calls, "fsync").is_empty(), "{:#?}", trace.calls);
}

#[test]
fn an_unsettled_flip_is_settled_before_anything_is_retired() {
    let place = Place::new();
    place.publish(Set(1), Outcome::Published);
    let ran = NEW.inject(&place, "fsync:error=EIO:when=1").ran;
    assert_eq!(ran.status.code(), Some(Outcome::Unsettled as i32), "{ran:?}");
    assert_eq!(shown(&place.link()).unwrap(), Some(NEW.set));
    assert_eq!(
        place.names().len(),
        SETTLED.len() + 3,
        "the old generation, its record and its note may yet be needed"
    );

    let ran = NEW.inject(&place, "fsync:error=EIO:when=1").ran;
    assert_eq!(ran.status.code(), Some(Outcome::Unsettled as i32), "still: {ran:?}");
    assert_eq!(place.names().len(), SETTLED.len() + 3);

    let trace = NEW.trace(&place);
    assert_eq!(trace.ran.status.code(), Some(Outcome::Unchanged as i32), "{:?}", trace.ran);
    let (synced, removed) = (positions(&trace.calls, "fsync"), positions(&trace.calls, "unlinkat"));
    assert_eq!(synced.len(), 1, "{:#?}", trace.calls);
    assert!(removed.first().is_some_and(|first| synced[0] < *first), "{:#?}", trace.calls);
    assert_eq!(place.names(), SETTLED);
}

#[test]
fn a_flip_that_nobody_asked_to_be_durable_is_settled_as_it_is() {
    let place = Place::new();
    place.publish(Set(1), Outcome::Published);
    let none = Sync { durability: "none", ..NEW };
    let trace = none.trace(&place);
    assert_eq!(trace.ran.status.code(), Some(Outcome::Published as i32));
    assert!(positions(&trace.calls, "fsync").is_empty() && positions(&trace.calls, "syncfs").is_empty());
}
