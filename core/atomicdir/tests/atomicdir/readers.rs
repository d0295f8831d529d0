//! Snapshots and their pins.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use atomicdir::{FileName, Options, Pin, Refusal, Snapshot, Status};
use rustix::fs::{FlockOperation, flock};

use crate::support::{Place, SETTLED, at};

fn eager() -> Options {
    Options::new().retain(Duration::ZERO)
}

fn name(text: &str) -> FileName {
    FileName::new(text).unwrap()
}

#[test]
fn a_pinned_generation_outlives_the_flip_and_goes_after_its_reader() {
    let place = Place::new();
    let first = place.publish(eager(), &[("a", "old"), ("d/b", "old")], at(0)).generation;
    let snapshot = Snapshot::open(place.link()).unwrap();
    let second = place.publish(eager(), &[("a", "new"), ("d/b", "new")], at(1));
    assert_eq!(second.sweep.pinned(), std::slice::from_ref(&first));
    assert_eq!(snapshot.read(&name("a")).unwrap(), b"old");
    assert_eq!(snapshot.read(&name("d/b")).unwrap(), b"old");

    let status = Status::of(place.link()).unwrap();
    let superseded: Vec<_> = status.superseded.iter().map(|old| (&old.id, old.pin)).collect();
    assert_eq!(superseded, [(&first, Pin::Pinned)]);

    drop(snapshot);
    drop(place.lock(&place.open(eager()), at(2)));
    assert_eq!(place.names(), SETTLED);
}

#[test]
fn the_path_of_a_snapshot_is_that_of_its_generation_however_it_was_reached() {
    let place = Place::new();
    place.publish(eager(), &[("a", "old")], at(0));
    let own = fs::canonicalize(place.path()).unwrap().join(fs::read_link(place.link()).unwrap());
    let beside = Place::new();
    symlink(place.link(), beside.path().join("link")).unwrap();
    symlink(place.path(), beside.path().join("folder")).unwrap();
    let ways = [place.link(), beside.path().join("link"), beside.path().join("folder/app"), own.clone()];
    let snapshots = ways.map(|way| Snapshot::open(way).unwrap());
    place.publish(eager(), &[("a", "new")], at(1));
    for snapshot in &snapshots {
        assert_eq!(snapshot.path(), own);
        assert_eq!(fs::read(snapshot.path().join("a")).unwrap(), b"old");
    }
}

#[test]
fn a_generation_locked_against_readers_is_an_error_that_ends() {
    let place = Place::new();
    place.publish(eager(), &[("a", "1")], at(0));
    let held = Snapshot::open(place.link()).unwrap();
    flock(held.as_fd(), FlockOperation::NonBlockingLockExclusive).unwrap();
    let error = Snapshot::open(place.link()).unwrap_err();
    assert_eq!(error.refusal(), Some(&Refusal::NotPinned(1000)));
    // It delays removal, never a publish.
    assert_eq!(place.publish(eager(), &[("a", "2")], at(1)).sweep.pinned().len(), 1);
    assert!(Snapshot::open(place.link()).is_ok());
}

#[test]
fn readers_never_see_a_mixed_or_missing_set() {
    let place = Place::new();
    let options = || eager().durability(atomicdir::Durability::None);
    place.publish(options(), &[("a", "0"), ("b", "0")], at(0));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2).map(|_| scope.spawn(|| read_until(&done, &place))).collect();
        let publisher = scope.spawn(|| {
            for round in 1..500 {
                let text = round.to_string();
                place.publish(options(), &[("a", &text), ("b", &text)], at(round));
            }
        });
        // Whether it went well or not, the readers are to end.
        let published = publisher.join();
        done.store(true, Ordering::SeqCst);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
        published.unwrap();
    });
    drop(place.lock(&place.open(eager()), at(1000)));
    assert_eq!(place.names(), SETTLED);
}

fn read_until(done: &AtomicBool, place: &Place) -> usize {
    let mut reads = 0;
    while !done.load(Ordering::SeqCst) {
        let snapshot = Snapshot::open(place.link()).unwrap();
        assert_eq!(snapshot.read(&name("a")).unwrap(), snapshot.read(&name("b")).unwrap());
        assert_eq!(snapshot.read(&name("a")).unwrap(), fs::read(snapshot.path().join("b")).unwrap());
        reads += 1;
    }
    reads
}

#[test]
fn status_tells_what_is_published() {
    let place = Place::new();
    assert!(Status::of(place.link()).unwrap().current.is_none());
    assert!(Status::of(place.path().join("no/such/app")).unwrap().current.is_none());
    drop(place.lock(&place.open(Options::new()), at(3)));
    assert_eq!(Status::of(place.link()).unwrap().last_success, None, "no run has succeeded yet");
    place.publish(Options::new(), &[("d/a", "123")], at(7));
    let status = Status::of(place.link()).unwrap();
    assert_eq!(status.last_success, Some(at(7)));
    let current = status.current.unwrap();
    assert_eq!((current.since, current.pin, current.note.unwrap()), (at(7), Pin::Free, b"note".to_vec()));
    let file = &current.files[0];
    assert_eq!((file.name.as_str(), file.size, file.mode), ("d/a", 3, 0o440));
}
