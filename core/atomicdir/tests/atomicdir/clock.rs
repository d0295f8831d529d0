//! Retention is "at least": whatever a run waits for, times are read when they count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use atomicdir::Options;

use crate::support::{Place, at, wanted};

#[test]
fn a_run_that_waited_counts_ages_to_the_time_when_its_wait_was_over() {
    let place = Place::new();
    place.publish(Options::new(), &[("a", "1")], at(0));
    let hour = Arc::new(AtomicU64::new(100));
    let clock = Arc::clone(&hour);
    let options = Options::new().clock(move || at(clock.load(Ordering::SeqCst)));
    let mut held = options.clone().open(place.link()).unwrap().try_lock().unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let locked = options.open(place.link()).unwrap().lock(Duration::from_secs(30)).unwrap();
            locked.sweep().removed().len()
        });
        let mut staging = held.stage().unwrap();
        for (name, file) in wanted(&[("a", "2")]).iter() {
            staging.write(name, *file).unwrap();
        }
        hour.store(200, Ordering::SeqCst);
        let published = staging.publish(None).unwrap();
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
    let readings = AtomicU64::new(0);
    // Each reading is a minute after the one before: the first is that of the lock.
    let clock = move || at(60 * readings.fetch_add(1, Ordering::SeqCst));
    let dir = Options::new().retain(Duration::from_secs(3600)).clock(clock).open(place.link()).unwrap();
    let mut locked = dir.try_lock().unwrap();
    let published = locked.stage().unwrap().publish(None).unwrap();
    locked.record_success().unwrap();
    let old = place.path().join(format!(".app.gen-{first}"));
    let new = place.path().join(format!(".app.gen-{}", published.generation));
    let time = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().modified().unwrap();
    let lock = place.state().join("lock");
    assert_eq!((time(new), time(old), time(lock)), (at(60), at(120), at(240)));
}

/// The clock is asked between the last look before the flip and the flip.
#[test]
fn a_parent_that_is_moved_at_the_flip_is_told_after_it() {
    let place = Place::new();
    let folder = place.path().join("folder");
    let link = folder.join("app");
    let readings = AtomicU64::new(0);
    let (from, to) = (folder.clone(), place.path().join("moved"));
    let clock = move || {
        // Of the second run: when the lock is held, when the staging is complete, at the flip.
        if readings.fetch_add(1, Ordering::SeqCst) == 3 + 2 {
            std::fs::rename(&from, &to).unwrap();
        }
        at(0)
    };
    let options = Options::new().clock(clock);
    for is_moved in [false, true] {
        let mut locked = options.clone().open(&link).unwrap().try_lock().unwrap();
        let published = locked.stage().unwrap().publish(None).unwrap();
        assert_eq!(published.misplaced.as_ref().map(|error| error.is_after_flip()), is_moved.then_some(true));
        assert_eq!(folder.exists(), !is_moved);
    }
}

#[test]
fn names_are_made_of_the_randomness_that_was_chosen() {
    let place = Place::new();
    let zeros = |bytes: &mut [u8]| {
        bytes.fill(0);
        Ok(())
    };
    let dir = Options::new().random(zeros).open(place.link()).unwrap();
    let mut locked = dir.try_lock().unwrap();
    let published = locked.stage().unwrap().publish(None).unwrap();
    assert_eq!(published.generation.as_str(), "0000000000000000");
    drop(locked);

    let broken = Options::new().random(|_| Err(std::io::ErrorKind::Unsupported.into()));
    let mut locked = broken.open(place.link()).unwrap().try_lock().unwrap();
    let before = place.names();
    let error = locked.stage().unwrap_err();
    assert_eq!(error.io_error().unwrap().kind(), std::io::ErrorKind::Unsupported);
    assert_eq!(place.names(), before);
}
