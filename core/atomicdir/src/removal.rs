//! Removes a generation with its record, note and mark. It never uses the path in a link: all names are our own, and
//! descriptors are opened without following links. A directory is emptied only if a record says that it was made here.
//! Any other directory is removed only if it is empty.
//!
//! The order on disk is the reverse of making: the contents, the directory, the note, the record, the mark. If a
//! removal stops early, a mark is left, or only a note or record without a generation. The next run's healing handles
//! both.
//!
//! A superseded generation has no mark, so one is made before its contents are removed. Otherwise a kill in the middle
//! would leave a directory with a part of its files. That would look like a complete generation that is not due yet.

use std::os::unix::fs::MetadataExt;

use rustix::fs::{AtFlags, FileType, statat, symlinkat, unlinkat};
use rustix::io::Errno;

use crate::error::At;
use crate::flock::Flock;
use crate::generation::Generation;
use crate::names::{Role, StateName};
use crate::state::State;
use crate::{AtomicDir, Error, Id, Refusal, Result, Step, note, remove_contents};

/// The result of a removal.
#[derive(Debug)]
pub(crate) enum Removal {
    /// It was removed completely. The value is its note, if it had a readable one.
    Removed(Option<Vec<u8>>),
    /// A reader holds it, so all of it stays for a later run.
    Pinned,
}

/// Why a generation is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It has a mark: its run did not finish, or its removal did not.
    Unfinished,
    /// It was current once, and is due.
    Superseded,
}

/// Removes a generation, then its note and record, and its mark last. So leftovers always have a mark.
///
/// The mark is checked first, because one that is not ours means nothing. A generation that a reader holds is left as
/// it is.
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
    // Only a removal of several calls needs a mark, so that a later run can finish it.
    if reason == Reason::Superseded && matches!(hold, Hold::Recorded(_)) {
        mark(dir, step, id);
    }
    hold.take_apart(dir, step, id)?;
    // Kept for a publisher that gives back the leases of the generation.
    let note = note::read(state, id).ok().flatten();
    forget(state, step, id)?;
    remove_mark(dir, step, id)?;
    tracing::debug!(step = step.number(), %id, ?reason, "removed");
    Ok(Removal::Removed(note))
}

/// Checks that the mark, if there is one, is a link of ours.
fn refuse_foreign_mark(dir: &AtomicDir, step: Step, id: &Id) -> Result<()> {
    is_there(dir, step, &dir.link.name(Role::Mark, id), FileType::Symlink).map(|_| ())
}

/// Makes a mark for a generation before its removal. The mark only matters if the process is killed during the removal.
/// If it cannot be made, for example on a full disk, removing is still right.
fn mark(dir: &AtomicDir, step: Step, id: &Id) {
    let (target, mark) = (dir.link.name(Role::Generation, id), dir.link.name(Role::Mark, id));
    if let Err(error) = symlinkat(target, &dir.parent.directory, mark) {
        tracing::debug!(step = step.number(), %error, "removing without a mark");
    }
}

/// Removes the note and the record of a generation that no longer exists.
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

/// Removes a mark, if it is ours. This is the last step of a removal.
pub(crate) fn remove_mark(dir: &AtomicDir, step: Step, id: &Id) -> Result<()> {
    unlink(dir, step, &dir.link.name(Role::Mark, id), FileType::Symlink)
}

/// The state of a generation that should be removed. It decides what may be done to it.
enum Hold {
    /// The directory is gone. Only its note, record or mark is left.
    Absent,
    /// A reader holds it.
    Pinned,
    /// It has a record. It is locked until the end, so no reader can pin it during the removal.
    Recorded(Flock),
    /// No record says that it was made here. Or its owner cannot open it, for example after a umask removed their
    /// permissions. It is removed only if it is empty.
    Unknown,
}

impl Hold {
    /// Opens and locks a generation that should be removed, and reads its record.
    ///
    /// The lock comes first: from then on no reader can pin it. A reader who has pinned it already keeps it.
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

    /// Empties a generation if its state allows it, and removes its directory.
    ///
    /// A directory without a record that is not empty is an error that names it, because its origin is unknown.
    fn take_apart(self, dir: &AtomicDir, step: Step, id: &Id) -> Result<()> {
        let name = dir.link.name(Role::Generation, id);
        let path = dir.parent.join(&name);
        match &self {
            Self::Absent | Self::Pinned => return Ok(()),
            Self::Unknown => {}
            Self::Recorded(held) => remove_contents::empty(step, held.file(), &path)?,
        }
        match unlinkat(&dir.parent.directory, &name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) if matches!(self, Self::Unknown) => {
                Err(Error::refuse(step, "remove", path, Refusal::NotOnRecord))
            }
            removed => removed.at(step, "remove", path),
        }
    }
}

/// Removes one name in the parent, if it has this type and is ours. A missing name is fine.
fn unlink(dir: &AtomicDir, step: Step, name: &str, kind: FileType) -> Result<()> {
    if !is_there(dir, step, name, kind)? {
        return Ok(());
    }
    unlinkat(&dir.parent.directory, name, AtFlags::empty()).at(step, "remove", dir.parent.join(name))
}

/// Returns whether a name exists in the parent. It is an error if it has another type or is not ours.
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
