//! Who read what during which runs, and what was still there after each: one must explain the other.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use atomicdir::Id;

const PREFIX: &str = ".app.gen-";

/// One snapshot of a reader. Its times are the numbers of the run that was under way, or had been the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// When it was about to be opened.
    pub(super) began: u32,
    /// When it was open.
    pub(super) opened: u32,
    /// What it showed.
    pub(super) round: u32,
    /// When it was dropped.
    pub(super) ended: u32,
}

/// A generation that was there after a run, although the link no longer named it.
#[derive(Clone, Copy, Debug)]
struct Survivor {
    round: u32,
    run: u32,
}

/// What a reader has read, in order.
pub(super) type Log = Vec<Reading>;

impl Survivor {
    /// Says whether a reader had it pinned at some moment of the run that it survived.
    fn is_explained(self, log: &[Reading]) -> bool {
        let since = log.partition_point(|reading| reading.ended < self.run);
        let during = log.iter().skip(since).take_while(|reading| reading.began <= self.run);
        during.into_iter().any(|reading| reading.round == self.round || self.is_passed_by(reading))
    }

    /// Says whether a snapshot may have pinned it on the way: it follows the link while the link names it, and sees only
    /// once it has a pin that the link has flipped.
    fn is_passed_by(self, reading: &Reading) -> bool {
        let superseded = self.round + 1;
        reading.began <= superseded && reading.opened >= self.run
    }
}

/// What each run left.
pub(super) struct Ledger {
    folder: PathBuf,
    /// The generations that are there, with their rounds.
    there: HashMap<String, u32>,
    survivors: Vec<Survivor>,
}

impl Ledger {
    /// Begins with what the first run published.
    pub(super) fn begin(folder: &Path, first: &Id) -> Self {
        let there = HashMap::from([(name(first), 1)]);
        Self { folder: folder.to_owned(), there, survivors: Vec::new() }
    }

    /// Notes what is there after a run, which has published this.
    pub(super) fn look(&mut self, run: u32, current: &Id) {
        self.there.insert(name(current), run);
        let names = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.filter_map(|name| name.into_string().ok());
        let generations = names.filter(|name| name.starts_with(PREFIX));
        let there: HashMap<_, _> = generations.map(|name| self.there.remove_entry(&name).unwrap()).collect();
        let left = there.values().filter(|round| **round != run);
        self.survivors.extend(left.map(|round| Survivor { round: *round, run }));
        self.there = there;
    }

    /// Asserts that no generation outlived its last pin by more than one run: whatever a run left, it found pinned.
    pub(super) fn assert_explained(&self, logs: &[Log]) {
        for survivor in &self.survivors {
            assert!(logs.iter().any(|log| survivor.is_explained(log)), "nobody had {survivor:?} pinned");
        }
    }

    /// Returns over how many runs a generation was kept for its readers, at most.
    pub(super) fn longest_kept(&self) -> u32 {
        self.survivors.iter().map(|survivor| survivor.run - survivor.round).max().unwrap_or_default()
    }
}

fn name(generation: &Id) -> String {
    format!("{PREFIX}{generation}")
}

/// Returns how many sets a reader has seen.
pub(super) fn distinct(log: &[Reading]) -> usize {
    log.iter().map(|reading| reading.round).collect::<BTreeSet<_>>().len()
}

#[test]
fn a_generation_that_nobody_holds_is_not_explained() {
    let log = [Reading { began: 4, opened: 5, round: 4, ended: 9 }];
    let explained = |round, run| Survivor { round, run }.is_explained(&log);
    assert!(explained(4, 5) && explained(4, 9), "held");
    assert!(explained(3, 4) && explained(3, 5), "perhaps pinned on the way");
    assert!(!explained(4, 10), "dropped by then");
    assert!(!explained(3, 6) && !explained(2, 5), "not to be reached any more");
}
