//! Retention is "at least": whatever a run waits for, times are read when they count.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use atomicdir::Options;

use crate::support::{Place, at, wanted};

#[test]
fn a_run_that_waited_counts_ages_to_the_time_when_its_wait_was_over() {
    let place = Place::new();
    place.publish(Options::new(), &[("a", "1")], at(0));
    let hour = AtomicU64::new(100);
    let clock = || at(hour.load(Ordering::SeqCst));
    let holder = place.open(Options::new());
    let mut held = holder.try_lock(&clock).unwrap().unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let dir = place.open(Options::new());
            let locked = dir.lock(Duration::from_secs(30), &clock).unwrap();
            locked.sweep().removed().len()
        });
        let mut staging = held.stage().unwrap();
        for (name, file) in wanted(&[("a", "2")]).iter() {
            staging.write(name, *file).unwrap();
        }
        hour.store(200, Ordering::SeqCst);
        let published = staging.publish(None, &clock).unwrap();
        assert!(published.sweep.removed().is_empty());
        drop(held);
        // Superseded at 200, and looked at then: had the waiter kept the time at which it began, this would be the future.
        assert_eq!(waiter.join().unwrap(), 0);
    });
}

#[test]
fn the_old_generation_is_superseded_at_the_flip_however_long_the_barrier_took() {
    let place = Place::new();
    let first = place.publish(Options::new(), &[("a", "1")], at(0)).generation;
    let dir = place.open(Options::new().retain(Duration::from_secs(3600)));
    let mut locked = dir.try_lock(&|| at(1)).unwrap().unwrap();
    let readings = AtomicU64::new(1);
    // Each reading is a minute after the one before.
    let clock = || at(60 * readings.fetch_add(1, Ordering::SeqCst));
    let published = locked.stage().unwrap().publish(None, &clock).unwrap();
    let old = place.path().join(format!(".app.gen-{first}"));
    let new = place.path().join(format!(".app.gen-{}", published.generation));
    let time = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().modified().unwrap();
    assert_eq!((time(new), time(old)), (at(60), at(120)));
}
