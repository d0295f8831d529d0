//! Steps 4 and 11: finds and removes generations that are no longer needed. Both steps use the same removal.
//!
//! A temporary link marks its ID as unfinished. Retiring makes this mark first. So if a removal is killed in the
//! middle, the next run's healing finishes it.
//!
//! Only the holder of the lock sweeps, but these others may act at the same time:
//!
//! - A reader may be about to pin a generation that is being removed. It takes a shared lock, and checks that the link
//!   still names the generation. A removal takes an exclusive lock without waiting, and only on a generation that the
//!   link does not name. So one of the two notices the other.
//! - Somebody may have removed the lock file and started a second run. Its stagings have marks, but its own run pins
//!   each of them. So a staging is left alone, like a generation with a reader.
//! - Users who can write to the parent can make names like ours. Only a directory whose inode is on record is emptied.
//!
//! A failure here is no error of the run. Leftovers are reported, and the next run tries again.

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

/// The generations that a run removed, and those that it had to leave.
///
/// The latter stay on disk, with their secrets, and each later run tries again.
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

    /// Returns the notes of the removed generations that had one, including those of unfinished runs. It is for a
    /// publisher that gives back leases when no generation uses them any more.
    ///
    /// If a removal is killed right after it removed a note, that note is never reported.
    pub fn removed_notes(&self) -> &[Vec<u8>] {
        &self.removed_notes
    }

    /// Returns the generations that are due, but pinned by a reader. The next run tries again.
    pub fn pinned(&self) -> &[Id] {
        &self.pinned
    }

    /// Returns the errors that kept due generations from being removed. The next run tries again.
    pub fn deferred(&self) -> &[Error] {
        &self.deferred
    }

    /// Adds the results of another sweep of the same run.
    pub(crate) fn add(&mut self, other: Self) {
        self.removed.extend(other.removed);
        self.removed_notes.extend(other.removed_notes);
        self.pinned.extend(other.pinned);
        self.deferred.extend(other.deferred);
    }

    /// Adds the result of one removal.
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

    /// Adds a failure to remove something else.
    fn defer(&mut self, removal: Result<()>) {
        if let Err(error) = removal {
            tracing::debug!(step = error.step().number(), %error, "left for the next run");
            self.deferred.push(error);
        }
    }
}

/// Our names in the parent and in the state directory, at the moment of the listing.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    /// The generation names. Whether each directory is ours is checked when it is opened.
    pub(crate) generations: BTreeSet<Id>,
    /// The IDs with a mark: a run has begun to make or remove them, and has not finished.
    pub(crate) marks: BTreeSet<Id>,
    /// The IDs with a note or a record.
    noted: BTreeSet<Id>,
}

impl Inventory {
    /// Lists both directories once. Names that do not match exactly are skipped.
    ///
    /// A listing is not atomic: a name that is made or renamed meanwhile may be missed. Under the lock, only this run
    /// does that. Without the lock, [`Status`](crate::Status) lists first and reads the link afterwards. So a
    /// generation that becomes current in between is not reported as superseded.
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

    /// Removes the generations with a mark, and the records and notes without a generation. The current generation
    /// stays, even if it has a mark.
    pub(crate) fn clear_unfinished(&self, dir: &AtomicDir, state: &State, current: Option<&Id>) -> Sweep {
        let mut sweep = Sweep::default();
        for id in &self.marks {
            // If the link was made as a second name of the mark's inode, a kill leaves both. The generation is
            // complete.
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

    /// Returns the IDs with a note or a record.
    pub(crate) fn noted(&self) -> impl Iterator<Item = &Id> {
        self.noted.iter()
    }

    /// Returns the finished generations that the link no longer names.
    pub(crate) fn superseded(&self, current: Option<&Id>) -> Vec<Id> {
        let finished = self.generations.iter().filter(|id| !self.marks.contains(id));
        finished.filter(|id| Some(*id) != current).cloned().collect()
    }
}

/// Removes the superseded generations that are due, and keeps the others in the list. Those that cannot be removed now
/// leave the list too: the next run tries again.
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

/// Visits the names in a directory by a descriptor of its own, because the position of a listing belongs to the open
/// directory. Names that are not UTF-8 are skipped, because none of ours is.
fn for_each_name(directory: &File, path: &Path, mut visit: impl FnMut(&str)) -> Result<()> {
    // Also works for a directory that was opened by a user who may not list it.
    let listed = openat(directory, ".", DIRECTORY, Mode::empty()).and_then(Dir::new);
    for entry in listed.at(Step::Heal, "list", path)? {
        if let Ok(name) = entry.at(Step::Heal, "list", path)?.file_name().to_str() {
            visit(name);
        }
    }
    Ok(())
}

/// Returns whether a superseded generation is due. A missing one is due, because its note and record may be left.
fn is_due(dir: &AtomicDir, step: Step, id: &Id, now: SystemTime) -> Result<bool> {
    let opened = Generation::open(dir, step, id)?;
    Ok(opened.is_none_or(|generation| clock::is_due(&generation.found, dir.options.retain, now)))
}
