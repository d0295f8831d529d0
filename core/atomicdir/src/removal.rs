//! Removing a generation with its record, its note and its mark. Never by a path that a link says: names are ours, and
//! descriptors are opened without following links. Only a directory that is on record as made here is emptied; of any other
//! no more is removed than an empty directory.
//!
//! The order on disk is the reverse of that of making: what is in the directory, the directory, the note, the record, the
//! mark. As long as anything is left, either there is a mark, or there is only a note or a record of nothing. The next run's
//! healing knows both.
//!
//! A superseded generation has no mark, so one is made before it is taken apart. Without it, a kill half way would leave a
//! directory with a few of its files, which looks like one that is to stay until it is due.

use std::os::unix::fs::MetadataExt;

use rustix::fs::{AtFlags, FileType, statat, symlinkat, unlinkat};
use rustix::io::Errno;

use crate::error::At;
use crate::flock::Flock;
use crate::generation::Generation;
use crate::names::{Role, StateName};
use crate::state::State;
use crate::{AtomicDir, Error, Id, Refusal, Result, Step, emptying, note};

/// How a removal ended.
#[derive(Debug)]
pub(crate) enum Removal {
    /// Nothing of it is left. This was its note, if it had one that could be read.
    Removed(Option<Vec<u8>>),
    /// A reader holds it: all of it is left for a later run.
    Pinned,
}

/// Why a generation is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It bears a mark: its run did not finish, or its removal did not.
    Unfinished,
    /// It was current once, and has stayed long enough.
    Superseded,
}

/// Removes a generation, then its note and its record, then its mark: in this order, so that whatever is left is still
/// marked.
///
/// A mark that is not ours says nothing: it is looked at first. A generation that somebody reads is left as it is.
pub(crate) fn discard(
    dir: &AtomicDir,
    state: &State,
    step: Step,
    id: &Id,
    reason: Reason,
) -> Result<Removal> {
    refuse_foreign_mark(dir, step, id)?;
    let hold = Hold::take(dir, state, step, id)?;
    if matches!(hold, Hold::Pinned) {
        return Ok(Removal::Pinned);
    }
    // Nothing but a removal that takes several calls needs a mark, to be finished if it is killed.
    if reason == Reason::Superseded && matches!(hold, Hold::Recorded(_)) {
        mark(dir, step, id);
    }
    hold.take_apart(dir, step, id)?;
    // For whoever gives back what the generation held.
    let note = note::read(state, id).ok().flatten();
    forget(state, step, id)?;
    remove_mark(dir, step, id)?;
    tracing::debug!(step = step.number(), %id, ?reason, "removed");
    Ok(Removal::Removed(note))
}

/// Ensures that the mark, if there is one, is a link of ours.
fn refuse_foreign_mark(dir: &AtomicDir, step: Step, id: &Id) -> Result<()> {
    is_there(dir, step, &dir.link.name(Role::Mark, id), FileType::Symlink).map(|_| ())
}

/// Marks a generation whose removal begins. Only a kill in the middle of it needs the mark: without it, on a full disk
/// above all, removing is still right.
fn mark(dir: &AtomicDir, step: Step, id: &Id) {
    let (target, mark) = (dir.link.name(Role::Generation, id), dir.link.name(Role::Mark, id));
    if let Err(error) = symlinkat(target, &dir.parent.directory, mark) {
        tracing::debug!(step = step.number(), %error, "removing without a mark");
    }
}

/// Removes the note and the record of a generation that is not there.
pub(crate) fn forget(state: &State, step: Step, id: &Id) -> Result<()> {
    for name in [StateName::Note(id.clone()), StateName::Record(id.clone())] {
        let name = name.to_string();
        match unlinkat(&state.directory, &name, AtFlags::empty()) {
            Err(Errno::NOENT) => {}
            removed => removed.at(step, "remove", state.join(&name))?,
        }
    }
    Ok(())
}

/// Removes a mark, if it is one of ours. It goes last.
pub(crate) fn remove_mark(dir: &AtomicDir, step: Step, id: &Id) -> Result<()> {
    unlink(dir, step, &dir.link.name(Role::Mark, id), FileType::Symlink)
}

/// How a generation that is to be removed was found. What may be done to it depends on that alone.
enum Hold {
    /// Only what speaks of it is left.
    Absent,
    /// A reader holds it.
    Pinned,
    /// Locked until the end, so that no reader can pin what is being taken apart.
    Recorded(Flock),
    /// Nothing says that it was made here, or its owner cannot open it, as after a umask without their bits: it is empty, or
    /// stays.
    Unknown,
}

impl Hold {
    /// Opens and locks a generation that is to be removed, and looks whether it is on record.
    ///
    /// The lock comes before the look: from then on no reader can pin it. Whoever has pinned it already keeps it.
    fn take(dir: &AtomicDir, state: &State, step: Step, id: &Id) -> Result<Self> {
        let generation = match Generation::open(dir, step, id) {
            Err(error) if error.is_denied() => return Ok(Self::Unknown),
            opened => opened?,
        };
        let Some(Generation { directory, found }) = generation else { return Ok(Self::Absent) };
        let path = dir.generation_path(id);
        let Some(held) = Flock::exclusive(directory).at(step, "lock", path)? else {
            return Ok(Self::Pinned);
        };
        let recorded = state.recorded(step, id)? == Some(found.ino());
        Ok(if recorded { Self::Recorded(held) } else { Self::Unknown })
    }

    /// Empties a generation if that may be done, and removes its directory.
    ///
    /// A directory that is not on record and holds something is an error that names it: nobody knows whose it is.
    fn take_apart(self, dir: &AtomicDir, step: Step, id: &Id) -> Result<()> {
        let name = dir.link.name(Role::Generation, id);
        let path = dir.parent.join(&name);
        match &self {
            Self::Absent | Self::Pinned => return Ok(()),
            Self::Unknown => {}
            Self::Recorded(held) => emptying::empty(step, held.file(), &path)?,
        }
        match unlinkat(&dir.parent.directory, &name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) if matches!(self, Self::Unknown) => {
                Err(Error::refuse(step, "remove", path, Refusal::NotOnRecord))
            }
            removed => removed.at(step, "remove", path),
        }
    }
}

/// Removes one name in the parent, if it is of the kind that we make, and ours. A missing one is fine.
fn unlink(dir: &AtomicDir, step: Step, name: &str, kind: FileType) -> Result<()> {
    if !is_there(dir, step, name, kind)? {
        return Ok(());
    }
    unlinkat(&dir.parent.directory, name, AtFlags::empty()).at(step, "remove", dir.parent.join(name))
}

/// Says whether a name stands in the parent; an error if it is not of the kind that we make, or not ours.
fn is_there(dir: &AtomicDir, step: Step, name: &str, kind: FileType) -> Result<bool> {
    let path = || dir.parent.join(name);
    let found = match statat(&dir.parent.directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(false),
        found => found.at(step, "inspect", path())?,
    };
    if FileType::from_raw_mode(found.st_mode) != kind {
        return Err(Error::refuse(step, "use", path(), Refusal::NotOfOurMaking));
    }
    dir.parent.ensure_ours(step, name, found.st_uid, None)?;
    Ok(true)
}
