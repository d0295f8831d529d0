//! Steps 4 and 11: finding and removing what is no longer wanted. One removal serves both.
//!
//! A temporary link marks its ID as unfinished. Retiring makes that mark first, so that a removal which is killed half
//! way is finished by the next run's healing.
//!
//! Only the holder of the lock sweeps, but it is not alone:
//!
//! - A reader may be about to pin what is being removed. It takes a shared lock and looks whether the link still names the
//!   generation; a removal takes an exclusive lock without waiting, and only of what the link does not name. One of the two
//!   sees the other.
//! - Somebody may have removed the lock's file and started a second run. Its stagings bear marks, but each is pinned by its
//!   own run, so it is left alone like one that is read.
//! - Whoever can write to the parent can make names like ours. Only a directory that is on record, by its inode, is emptied.
//!
//! Nothing here is an error of the run: what cannot be removed now is reported, and is the next run's.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::{Dir, Mode, openat};

use crate::error::At;
use crate::generation::Generation;
use crate::names::{Role, StateName};
use crate::parent::DIRECTORY;
use crate::removal::{self, Reason, Removal};
use crate::state::State;
use crate::{AtomicDir, Error, Id, Result, Step, clock, note};

/// What a run removed, and what it had to leave.
///
/// What could not be removed stays on disk, secrets included, and each later run tries again.
#[derive(Debug, Default)]
pub struct Sweep {
    removed: Vec<Id>,
    removed_notes: Vec<Vec<u8>>,
    pinned: Vec<Id>,
    deferred: Vec<Error>,
}

impl Sweep {
    /// Returns the generations that were removed.
    pub fn removed(&self) -> &[Id] {
        &self.removed
    }

    /// Returns the notes of the generations that were removed, as far as they had one: also of one whose run did not finish. For a
    /// publisher who gives something back once nothing uses it any more.
    ///
    /// A removal that is killed right after a note is gone tells nobody of it.
    pub fn removed_notes(&self) -> &[Vec<u8>] {
        &self.removed_notes
    }

    /// Returns the generations that are due, but that a reader has pinned. The next run tries again.
    pub fn pinned(&self) -> &[Id] {
        &self.pinned
    }

    /// Returns why something that is due is still there. The next run tries again.
    pub fn deferred(&self) -> &[Error] {
        &self.deferred
    }

    /// Takes over what another sweep of the same run did.
    pub(crate) fn add(&mut self, other: Self) {
        self.removed.extend(other.removed);
        self.removed_notes.extend(other.removed_notes);
        self.pinned.extend(other.pinned);
        self.deferred.extend(other.deferred);
    }

    /// Counts how the removal of a generation went.
    fn record(&mut self, id: &Id, removal: Result<Removal>) {
        match removal {
            Ok(Removal::Removed(note)) => {
                self.removed.push(id.clone());
                self.removed_notes.extend(note);
            }
            Ok(Removal::Pinned) => self.pinned.push(id.clone()),
            Err(error) => self.defer(Err(error)),
        }
    }

    /// Counts a failure to remove something else.
    fn defer(&mut self, removal: Result<()>) {
        if let Err(error) = removal {
            tracing::debug!(step = error.step().number(), %error, "left for the next run");
            self.deferred.push(error);
        }
    }
}

/// The names of ours that stand in the parent and in the state directory, at the moment at which they were listed.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    /// Directories of our naming: whether each is ours is looked at when it is opened.
    pub(crate) generations: BTreeSet<Id>,
    /// What a run began and did not finish, or is about to.
    pub(crate) marks: BTreeSet<Id>,
    /// Whatever has a note or a record.
    noted: BTreeSet<Id>,
}

impl Inventory {
    /// Lists both directories once. Names that are not exactly ours are passed over.
    ///
    /// A listing is no snapshot: a name that is made or renamed meanwhile may be missed. Under the lock no run does that but
    /// this one. Without it, [`Status`](crate::Status) lists first and follows the link afterwards, so what becomes current in
    /// between is not taken for superseded.
    pub(crate) fn take(dir: &AtomicDir, state: Option<&State>) -> Result<Self> {
        let mut inventory = Self::default();
        for_each_name(&dir.parent.directory, &dir.parent.path, |name| match dir.link.parse(name) {
            Some((Role::Generation, id)) => drop(inventory.generations.insert(id)),
            Some((Role::Mark, id)) => drop(inventory.marks.insert(id)),
            None => {}
        })?;
        let Some(state) = state else { return Ok(inventory) };
        for_each_name(&state.directory, &state.path, |name| match StateName::parse(name) {
            Some(StateName::Note(id) | StateName::Record(id)) => drop(inventory.noted.insert(id)),
            Some(StateName::Lock | StateName::Keeper) | None => {}
        })?;
        Ok(inventory)
    }

    /// Removes whatever bears the mark of a run that did not finish, and records and notes that belong to nothing. What is
    /// current stays, whatever marks there are.
    pub(crate) fn clear_unfinished(&self, dir: &AtomicDir, state: &State, current: Option<&Id>) -> Sweep {
        let mut sweep = Sweep::default();
        for id in &self.marks {
            // Where the link was made by a second name for the mark's inode, a kill leaves both: the generation is good.
            if Some(id) == current {
                sweep.defer(removal::remove_mark(dir, Step::Heal, id));
            } else {
                sweep.record(id, removal::discard(dir, state, Step::Heal, id, Reason::Unfinished));
            }
        }
        for id in self.noted.iter().filter(|id| !self.generations.contains(id) && !self.marks.contains(id)) {
            sweep.removed_notes.extend(note::read(state, id).ok().flatten());
            sweep.defer(removal::forget(state, Step::Heal, id));
        }
        sweep
    }

    /// Returns what has a note or a record.
    pub(crate) fn noted(&self) -> impl Iterator<Item = &Id> {
        self.noted.iter()
    }

    /// Returns the finished generations that the link no longer names.
    pub(crate) fn superseded(&self, current: Option<&Id>) -> Vec<Id> {
        let finished = self.generations.iter().filter(|id| !self.marks.contains(id));
        finished.filter(|id| Some(*id) != current).cloned().collect()
    }
}

/// Removes the superseded generations that have stayed long enough, and leaves the others in the list: what could not be
/// removed now is the next run's.
pub(crate) fn retire(
    dir: &AtomicDir,
    state: &State,
    step: Step,
    superseded: &mut Vec<Id>,
    now: SystemTime,
) -> Sweep {
    let mut sweep = Sweep::default();
    superseded.retain(|id| {
        let removal = match is_due(dir, step, id, now) {
            Ok(false) => return true,
            Ok(true) => removal::discard(dir, state, step, id, Reason::Superseded),
            Err(error) => Err(error),
        };
        sweep.record(id, removal);
        false
    });
    sweep
}

/// Visits the names in a directory, by a descriptor of its own: the position in the listing is that of an open directory.
/// Names that are not UTF-8 are none of ours.
fn for_each_name(directory: &File, path: &Path, mut visit: impl FnMut(&str)) -> Result<()> {
    // Also of a directory that was opened by somebody who may not list it.
    let listed = openat(directory, ".", DIRECTORY, Mode::empty()).and_then(Dir::new);
    for entry in listed.at(Step::Heal, "list", path)? {
        if let Ok(name) = entry.at(Step::Heal, "list", path)?.file_name().to_str() {
            visit(name);
        }
    }
    Ok(())
}

/// Says whether a superseded generation has stayed long enough. One that is gone is due: its note and record are left.
fn is_due(dir: &AtomicDir, step: Step, id: &Id, now: SystemTime) -> Result<bool> {
    let opened = Generation::open(dir, step, id)?;
    Ok(opened.is_none_or(|generation| clock::is_due(&generation.found, dir.options.retain, now)))
}
