//! The mistake: to open `link/a` and then `link/b` by path. The sets seen so are mixed now and then, however long
//! superseded generations are kept. That it is seen here shows that mixed sets are noticed where there are any.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use atomicdir::Durability;

use super::Ends;
use super::rounds::{self, Rounds};
use crate::support::Place;

/// What the readers saw.
#[derive(Debug, Default)]
struct Seen {
    whole: u32,
    mixed: u32,
    missing: u32,
}

#[test]
fn reopening_by_path_mixes_sets_that_flip_all_the_time() {
    let seen = flip_under_readers(10_000, Duration::ZERO);
    assert!(seen.mixed > 0 && seen.whole > 0, "{seen:?}");
}

#[test]
fn reopening_by_path_mixes_sets_that_flip_now_and_then() {
    let seen = flip_under_readers(500, Duration::from_millis(10));
    assert!(seen.mixed > 0 && seen.whole > seen.mixed, "{seen:?}");
}

/// Flips sets under two readers, of which each superseded one is kept for ten rounds more.
fn flip_under_readers(flips: u32, pause: Duration) -> Seen {
    let place = Place::new();
    let link = place.link();
    let mut rounds = Rounds::open(&link, 10, Durability::None);
    rounds.publish();
    let over = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        let readers = [0, 1].map(|_| scope.spawn(|| read_until(&over, &link)));
        let ends = Ends(&over);
        for _ in 0..flips {
            rounds.publish();
            thread::sleep(pause);
        }
        drop(ends);
        readers.map(|reader| reader.join().unwrap())
    });
    let sum = |of: fn(&Seen) -> u32| seen.iter().map(of).sum();
    Seen { whole: sum(|seen| seen.whole), mixed: sum(|seen| seen.mixed), missing: sum(|seen| seen.missing) }
}

fn read_until(over: &AtomicBool, link: &Path) -> Seen {
    let mut seen = Seen::default();
    while !over.load(SeqCst) {
        match rounds::read(|name| fs::read(link.join(name)), || ()) {
            Ok([one, other]) if one == other => seen.whole += 1,
            Ok(_) => seen.mixed += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => seen.missing += 1,
            Err(error) => panic!("{error}"),
        }
    }
    seen
}
