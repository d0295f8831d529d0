//! Many publishers at one link, none of which waits for another: each run succeeds or finds the lock taken. Meanwhile
//! readers and monitors see complete sets only, and in the end nothing is there but what is current, kept, or pinned.

use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use atomicdir::{Snapshot, Status};
use atomicdir_trials::{Outcome, Set, shown};

use crate::support::{Companion, Place, SETTLED};

const PUBLISHERS: usize = 8;

/// A set that no publisher of a storm publishes.
const OTHER: Set = Set(1000);

/// What the runs of one publisher came to.
#[derive(Clone, Copy, Debug)]
struct Tally {
    published: usize,
    unchanged: usize,
    busy: usize,
}

#[test]
fn many_publishers_leave_what_is_current() {
    let place = Place::new();
    place.publish(OTHER, Outcome::Published);
    assert_each_succeeded(&storm(&place, 1000, 0));
    place.publish(OTHER, Outcome::Published);
    assert_eq!(place.names(), SETTLED);
}

#[test]
fn many_publishers_leave_what_is_kept() {
    let place = Place::new();
    place.publish(OTHER, Outcome::Published);
    let tallies = storm(&place, 50, 3600);
    let published: usize = tallies.iter().map(|tally| tally.published).sum();
    assert_generations(&place, 1 + published);
}

#[test]
fn many_publishers_leave_what_is_pinned() {
    let place = Place::new();
    place.publish(OTHER, Outcome::Published);
    let held = Snapshot::open(place.link()).unwrap();
    assert_each_succeeded(&storm(&place, 1000, 0));
    place.publish(Set(1001), Outcome::Published);
    assert_eq!(seen(&held), OTHER);
    assert_generations(&place, 2);
    drop(held);
    place.publish(OTHER, Outcome::Published);
    assert_eq!(place.names(), SETTLED);
}

/// Asserts that this is all there is: so many generations, each with its record and its note, the lock, and the link.
#[track_caller]
fn assert_generations(place: &Place, count: usize) {
    let mut names = place.names();
    let all = names.len();
    let generations = names.iter().filter(|name| *name == ".app.gen").count();
    names.dedup();
    assert_eq!(
        (names, all, generations),
        (SETTLED.iter().map(ToString::to_string).collect(), 3 * count + 2, count)
    );
}

/// Lets publishers make so many runs each, watched by a reader and by a monitor. Nothing that is unfinished is left.
fn storm(place: &Place, runs: usize, retain: u32) -> Vec<Tally> {
    let over = AtomicBool::new(false);
    let tallies = thread::scope(|scope| {
        let look = |look: fn(&Path)| {
            scope.spawn({
                let (over, link) = (&over, place.link());
                move || look_until(over, || look(&link))
            })
        };
        let watchers = [look(read), look(monitor)];
        let publishing = scope.spawn(|| publish_together(place, runs, retain)).join();
        over.store(true, SeqCst);
        for watcher in watchers {
            let looks = watcher.join().unwrap();
            assert!(looks >= 20, "{looks}");
        }
        publishing.unwrap()
    });
    assert!(!place.names().contains(&".app.tmp".to_owned()), "{:?}", place.names());
    assert_contended(&tallies, runs);
    tallies
}

fn publish_together(place: &Place, runs: usize, retain: u32) -> Vec<Tally> {
    let start = |seed: usize| {
        let (link, runs) = (place.link(), runs.to_string());
        let arguments = ["storm", link.to_str().unwrap(), &runs, &seed.to_string(), &retain.to_string()];
        Companion::start(&arguments, |_| ())
    };
    let mut publishers: Vec<_> = (0..PUBLISHERS).map(start).collect();
    publishers.iter_mut().for_each(Companion::end_input);
    publishers.into_iter().map(tally).collect()
}

/// Returns what a publisher says in the end. It says nothing if a run of its ended in any other way.
fn tally(mut publisher: Companion) -> Tally {
    let line = publisher.line();
    publisher.finish();
    let counts: Vec<usize> = line.split(' ').map(|count| count.parse().unwrap()).collect();
    let [published, unchanged, busy] = counts[..] else { panic!("{line}") };
    Tally { published, unchanged, busy }
}

/// Asserts that the publishers were in each other's way, and that each of their runs is accounted for.
#[track_caller]
fn assert_contended(tallies: &[Tally], runs: usize) {
    let has_all = |tally: &Tally| tally.published + tally.unchanged + tally.busy == runs;
    assert!(tallies.iter().all(has_all), "{tallies:?}");
    assert!(tallies.iter().any(|tally| tally.busy > 0), "{tallies:?}");
    assert!(tallies.iter().any(|tally| tally.unchanged > 0), "{tallies:?}");
}

#[track_caller]
fn assert_each_succeeded(tallies: &[Tally]) {
    assert!(tallies.iter().all(|tally| tally.published > 0), "{tallies:?}");
}

/// Looks again and again, and returns how often.
fn look_until(over: &AtomicBool, look: impl Fn()) -> u32 {
    let mut looks = 0;
    while !over.load(SeqCst) {
        look();
        looks += 1;
    }
    looks
}

/// Reads as a reader should: a snapshot can always be had, and shows one set.
fn read(link: &Path) {
    seen(&Snapshot::open(link).unwrap());
}

/// Returns the set that a snapshot shows, and nothing else. The kernel's name for it is a link to the generation.
#[track_caller]
fn seen(snapshot: &Snapshot) -> Set {
    let link = format!("/proc/self/fd/{}", snapshot.as_fd().as_raw_fd());
    shown(Path::new(&link)).unwrap_or_else(|torn| panic!("{torn}")).unwrap()
}

/// Looks as a monitor does: that never fails, and what is current is there, and all of it.
fn monitor(link: &Path) {
    let status = Status::of(link).unwrap();
    let files = status.current.as_ref().map(|current| current.files.len());
    assert_eq!(files, Some(OTHER.files().len()), "{status:#?}");
}
