//! Somebody who locks whatever he can open, over and over, keeps generations from being removed and readers from pinning
//! them. He keeps nobody from publishing, `Status` shows what he holds, and once he is gone so is what he held up.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::thread;
use std::time::Duration;

use atomicdir::{Pin, Refusal, Snapshot, Status};
use atomicdir_trials::{Outcome, Set};
use rustix::fs::{FlockOperation, flock};
use secretdir_testkit::{OTHER_USER, is_root};

use crate::support::{Companion, Place, SETTLED};

/// How many runs wait until he has the last one's set, and how many come without a pause.
const WATCHED: u32 = 10;
const UNWATCHED: u32 = 200;

#[test]
fn locking_all_that_one_can_open_delays_removal_and_never_a_publish() {
    if !is_root("locking_all_that_one_can_open_delays_removal_and_never_a_publish") {
        return;
    }
    let place = Place::new();
    place.publish(Set(0), Outcome::Published);
    let mut grabber = start_grabber(&place);
    // Even the parent, on which no publisher takes a lock.
    wait_for(&mut grabber, ".");
    for run in 1..=WATCHED {
        wait_for(&mut grabber, &current(&place));
        place.publish(Set(run), Outcome::Published);
    }
    for run in 0..UNWATCHED {
        place.publish(Set(run), Outcome::Published);
    }
    wait_for(&mut grabber, &current(&place));
    assert_shown_as_pinned(&place, Set(UNWATCHED - 1));
    assert_not_pinnable(&place);

    grabber.finish();
    assert_eq!(Status::of(place.link()).unwrap().current.unwrap().pin, Pin::Free);
    place.publish(Set(0), Outcome::Published);
    assert_eq!(place.names(), SETTLED, "{:#?}", Status::of(place.link()));
}

/// Starts him as a user who may read what is published, because he is in its group.
fn start_grabber(place: &Place) -> Companion {
    Companion::start(&["grab", place.link().to_str().unwrap()], |command| {
        command.uid(OTHER_USER).gid(0);
    })
}

fn wait_for(grabber: &mut Companion, name: &str) {
    while grabber.line() != name {}
}

/// Returns the name of the current generation.
fn current(place: &Place) -> String {
    fs::read_link(place.link()).unwrap().into_os_string().into_string().unwrap()
}

/// Asserts that what he holds is shown as it is: all of it, and pinned.
fn assert_shown_as_pinned(place: &Place, set: Set) {
    let status = Status::of(place.link()).unwrap();
    let current = status.current.unwrap();
    let listed: Vec<_> = current.files.iter().map(|file| (file.name.clone(), file.size)).collect();
    let published: Vec<_> = set.files().into_iter().map(|(name, bytes)| (name, bytes.len() as u64)).collect();
    assert_eq!((current.pin, listed), (Pin::Pinned, published));
    let held = status.superseded.iter().filter(|old| old.pin == Pin::Pinned).count();
    assert!(held >= WATCHED as usize, "{held} of {:#?}", status.superseded);
}

/// Asserts that a reader is told why he gets no snapshot. By path he can still read.
fn assert_not_pinnable(place: &Place) {
    let error = Snapshot::open(place.link()).unwrap_err();
    assert!(matches!(error.refusal(), Some(Refusal::NotPinned(_))), "{error:?}");
    let expected = format!("cannot take a shared lock on `{}` (step 12, read)", place.link().display());
    assert_eq!(error.to_string(), expected);
    fs::read(place.link().join("version")).unwrap();
}

#[test]
fn a_lock_that_is_held_for_a_moment_keeps_no_reader_out() {
    let place = Place::new();
    place.publish(Set(1), Outcome::Published);
    let directory = File::open(place.link()).unwrap();
    flock(&directory, FlockOperation::LockExclusive).unwrap();
    thread::scope(|scope| {
        let reader = scope.spawn(|| Snapshot::open(place.link()));
        // As long as a busy machine may put off whoever holds it. A reader that comes later finds it free.
        thread::sleep(Duration::from_millis(100));
        flock(&directory, FlockOperation::Unlock).unwrap();
        reader.join().unwrap().unwrap();
    });
}
