//! Runs, one after the other, in a folder in which somebody swaps what is there all the time.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::SystemTime;

use atomicdir_trials::{Outcome, Set, publish, shown};
use secretdir_testkit::{PATIENCE, is_root};

use super::swapper::Swapper;
use super::tree::{Parent, Tree};

/// In each of two folders, unless `SECRETDIR_RUNS` says how many: with 50000 the trial takes a quarter of an hour.
const RUNS: u32 = 10_000;

/// Every so many runs, what is precious is looked at.
const BETWEEN_LOOKS: u32 = 500;

/// Both sides must get somewhere for the trial to mean anything. However the machine shares its time out, the runs go on
/// until they have, or until there were many times as many.
const LEAST: usize = RUNS as usize / 100;
const MOST_RUNS: u32 = 100 * RUNS;

#[test]
fn nothing_is_harmed_by_runs_in_a_folder_of_somebody_who_swaps_what_is_in_it() {
    if is_root("nothing_is_harmed_by_runs_in_a_folder_of_somebody_who_swaps_what_is_in_it") {
        run_against_a_swapper(Parent::HisOwn);
    }
}

#[test]
fn nothing_is_harmed_by_runs_in_a_folder_of_a_group_one_of_which_swaps_what_is_in_it() {
    if is_root("nothing_is_harmed_by_runs_in_a_folder_of_a_group_one_of_which_swaps_what_is_in_it") {
        run_against_a_swapper(Parent::HisGroups);
    }
}

/// How many runs ended how.
#[derive(Clone, Copy, Debug, Default)]
struct Ended {
    published: usize,
    unchanged: usize,
    failed: usize,
}

impl Ended {
    fn is_enough(&self) -> bool {
        self.published > LEAST && self.failed > LEAST
    }
}

fn run_against_a_swapper(parent: Parent) {
    let tree = Arc::new(Tree::new(parent));
    let swapper = Swapper { parent: tree.parent(), precious: tree.precious() };
    let over = Arc::new(AtomicBool::new(false));
    let (tell, told) = mpsc::channel();
    thread::spawn({
        let over = Arc::clone(&over);
        move || tell.send(swapper.live(&over))
    });
    let ended = watch(&tree);
    over.store(true, Ordering::Relaxed);
    let swaps = told
        .recv_timeout(PATIENCE)
        .unwrap_or_else(|error| panic!("the swapper does not end: {error}: {ended:?}"));
    assert!(swaps > 0 && ended.is_enough(), "{swaps} swaps: {ended:?}");
    assert_recovers(&tree);
}

/// Lets the runs go on in a thread of their own, so that one that hangs is noticed.
fn watch(tree: &Arc<Tree>) -> Ended {
    let (progress, looks) = mpsc::channel();
    let running = thread::spawn({
        let tree = Arc::clone(tree);
        move || run_all(&tree, &progress)
    });
    let before = tree.fingerprint();
    loop {
        match looks.recv_timeout(PATIENCE) {
            Ok(()) => assert_eq!(tree.fingerprint(), before),
            Err(RecvTimeoutError::Disconnected) => return running.join().unwrap(),
            Err(RecvTimeoutError::Timeout) => panic!("a run hangs"),
        }
    }
}

/// Every other run has something to change.
fn run_all(tree: &Tree, progress: &Sender<()>) -> Ended {
    let options = tree.options();
    let runs = std::env::var("SECRETDIR_RUNS").map_or(RUNS, |runs| runs.parse().unwrap());
    let mut ended = Ended::default();
    for number in 0..MOST_RUNS {
        if number >= runs && ended.is_enough() {
            break;
        }
        let set = Set(number / 2 % 3);
        match publish(&tree.link(), set, options.clone(), SystemTime::now()) {
            Ok(Outcome::Unchanged) => ended.unchanged += 1,
            Ok(_) => ended.published += 1,
            Err(_) => ended.failed += 1,
        }
        if number % BETWEEN_LOOKS == 0 && progress.send(()).is_err() {
            break;
        }
    }
    ended
}

/// Once he has gone, and what he left at the link and the lock has been removed, a run finds its way.
fn assert_recovers(tree: &Tree) {
    let before = tree.fingerprint();
    for name in ["app", ".app.state"] {
        let path = tree.parent().join(name);
        drop(fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path)));
    }
    let outcome = publish(&tree.link(), Set(9), tree.options(), SystemTime::now()).unwrap();
    assert_eq!((outcome, shown(&tree.link()).unwrap()), (Outcome::Published, Some(Set(9))));
    assert_eq!(tree.fingerprint(), before);
}
