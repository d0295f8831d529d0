//! Runs on a disk whose power is cut after each call, and what is wrong with what the cuts leave.

use std::fs;
use std::path::PathBuf;

use atomicdir::Status;
use atomicdir_trials::{Outcome, Set, Torn, shown};

use super::disk::Disk;
use super::held::Held;
use super::history::{Commits, Cut, History, Recorded};
use super::imitation::{self, Order};
use crate::scenarios::Scenario;
use crate::support::{PUBLISHER, Place};

/// A run that is over, of a publisher or of an imitation.
pub(crate) struct Run {
    place: Place,
    link: PathBuf,
    old: Option<Set>,
    new: Set,
    recorded: Recorded,
}

/// What a run has done wrong.
#[derive(Debug)]
#[expect(dead_code, reason = "the fields are read where a test prints them")]
pub(crate) enum Wrong {
    /// The temporary link was not there yet when everything was synced.
    LinkUnsynced(Vec<String>),
    /// What is left after a cut is no complete set.
    Torn(Torn, Vec<String>),
    /// It is complete, but not what it must be.
    Other(Option<Set>, Vec<String>),
}

impl Run {
    /// Runs the publisher on a new disk, from the state that a scenario begins in. A first run makes the folder too.
    /// `faults` are what strace does to its calls.
    pub(crate) fn of_publisher(
        disk: &Disk,
        scenario: &Scenario,
        commits: Commits,
        faults: &[String],
    ) -> Self {
        let live = disk.mount_new();
        let place = Place::in_folder(&disk.root());
        match scenario.old() {
            Some(old) => place.publish(old, Outcome::Published),
            None => fs::remove_dir(place.path()).unwrap(),
        }
        disk.remount(&live);
        let mut history = History::begin(disk, live, commits);
        let mut held = Held::start(PUBLISHER, &scenario.sync.arguments(&place), faults);
        let first = held.skip_to("openat(AT_FDCWD, \"/\", ");
        history.record(&first.line);
        while let Some(call) = held.next_call() {
            history.record(&call.line);
        }
        let ended = held.ended();
        assert_eq!(ended.code(), Some(Outcome::Published as i32), "{ended:?}");
        let recorded = history.end();
        Self { link: place.link(), place, old: scenario.old(), new: scenario.sync.set, recorded }
    }

    /// Lets the imitation publish one set after another at a link of this name, and cuts during the second.
    pub(crate) fn of_imitation(disk: &Disk, name: &str, order: Order, commits: Commits) -> Self {
        let (old, new) = (Set(1), Set(2));
        let live = disk.mount_new();
        let place = Place::in_folder(&disk.root());
        let link = place.path().join(name);
        imitation::publish(&link, old, Order::LinkBeforeBarrier, &mut |_| ());
        disk.remount(&live);
        let mut history = History::begin(disk, live, commits);
        imitation::publish(&link, new, order, &mut |call| history.record(call));
        Self { link, place, old: Some(old), new, recorded: history.end() }
    }

    /// Returns how many different disks the cuts have left.
    pub(crate) fn cuts(&self) -> usize {
        self.recorded.cuts.len()
    }

    /// Mounts what each cut left, which replays the journal, and looks. Where nothing is torn, `and_then` is called with
    /// the place and the circumstances.
    pub(crate) fn wrongs(&self, disk: &Disk, and_then: &dyn Fn(&Place, &str)) -> Vec<Wrong> {
        let unsynced = (!self.recorded.syncs_the_link()).then(|| self.recorded.calls.clone());
        let look = |cut: &Cut| {
            disk.mount(&cut.image);
            let wrong = self.wrong_after(cut, and_then);
            disk.unmount();
            fs::remove_file(&cut.image).unwrap();
            wrong
        };
        let after_cuts = self.recorded.cuts.iter().filter_map(look);
        unsynced.map(Wrong::LinkUnsynced).into_iter().chain(after_cuts).collect()
    }

    fn wrong_after(&self, cut: &Cut, and_then: &dyn Fn(&Place, &str)) -> Option<Wrong> {
        let now = match shown(&self.link) {
            Ok(now) => now,
            Err(torn) => return Some(Wrong::Torn(torn, cut.after.clone())),
        };
        and_then(&self.place, &format!("the power cut after {:?}", cut.after));
        let is_right = now == Some(self.new) || (now == self.old && !self.recorded.is_settled_at(cut));
        (!is_right).then(|| Wrong::Other(now, cut.after.clone()))
    }
}

/// Asserts that the note beside the generation that is shown, if one is, is complete as well.
pub(crate) fn assert_note_is_complete(place: &Place, context: &str) {
    if let Some(current) = Status::of(place.link()).unwrap().current {
        assert_eq!(current.note.as_deref(), Some(b"note".as_slice()), "{context}");
    }
}
