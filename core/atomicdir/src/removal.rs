//! Removing a generation with its note and its mark. Never by a path that a link says: names are ours, descriptors are
//! opened without following links, and nothing is entered that lies on another device.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, fchmod, openat, statat, symlinkat, unlinkat};
use rustix::io::Errno;

use crate::error::At;
use crate::flock::Flock;
use crate::generation::Generation;
use crate::names::Role;
use crate::parent::DIRECTORY;
use crate::{AtomicDir, Error, Id, Refusal, Result, Step, platform};

/// How a removal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    Removed,
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

/// Removes a generation, then its note, then its mark: in this order, so that whatever is left is still marked.
///
/// A mark that is not ours says nothing: it is looked at first. A generation that somebody reads is left as it is.
pub(crate) fn discard(dir: &AtomicDir, step: Step, id: &Id, reason: Reason) -> Result<Removal> {
    refuse_foreign_mark(dir, step, id)?;
    let hold = Hold::take(dir, step, id)?;
    if matches!(hold, Hold::Pinned) {
        return Ok(Removal::Pinned);
    }
    // What is not there, as behind a link that somebody has made, needs no mark: a note alone is swept without one.
    if reason == Reason::Superseded && !matches!(hold, Hold::Absent) {
        mark(dir, step, id);
    }
    hold.take_apart(dir, step, id)?;
    remove_note(dir, step, id)?;
    remove_mark(dir, step, id)?;
    tracing::debug!(step = step.number(), %id, ?reason, "removed");
    Ok(Removal::Removed)
}

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

pub(crate) fn remove_note(dir: &AtomicDir, step: Step, id: &Id) -> Result<()> {
    unlink(dir, step, &dir.link.name(Role::Note, id), FileType::RegularFile)
}

pub(crate) fn remove_mark(dir: &AtomicDir, step: Step, id: &Id) -> Result<()> {
    unlink(dir, step, &dir.link.name(Role::Mark, id), FileType::Symlink)
}

/// How a generation that is to be removed was found.
enum Hold {
    Absent,
    /// Its owner cannot open it: a umask without his bits made it, so it is empty, or stays.
    Closed,
    /// A reader holds it.
    Pinned,
    /// Locked until the end, so that no reader can pin what is being taken apart. With the mode that it has.
    Held(Flock, u32),
}

impl Hold {
    fn take(dir: &AtomicDir, step: Step, id: &Id) -> Result<Self> {
        let denied =
            |error: &Error| error.io_error().is_some_and(|e| e.kind() == io::ErrorKind::PermissionDenied);
        let generation = match Generation::open(dir, step, id) {
            Err(error) if denied(&error) => return Ok(Self::Closed),
            opened => opened?,
        };
        let Some(generation) = generation else { return Ok(Self::Absent) };
        let Generation { directory, found } = generation;
        let path = dir.parent.join(&dir.link.name(Role::Generation, id));
        let held = Flock::exclusive(directory).at(step, "lock", path)?;
        Ok(held.map_or(Self::Pinned, |held| Self::Held(held, found.mode())))
    }

    fn take_apart(self, dir: &AtomicDir, step: Step, id: &Id) -> Result<()> {
        let name = dir.link.name(Role::Generation, id);
        let path = dir.parent.join(&name);
        match &self {
            Self::Absent | Self::Pinned => return Ok(()),
            Self::Closed => {}
            Self::Held(held, mode) => {
                Emptying { step, device: dir.parent.device }.empty(held.file(), *mode, &path)?;
            }
        }
        unlinkat(&dir.parent.directory, &name, AtFlags::REMOVEDIR).at(step, "remove", path)
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

/// The emptying of one generation.
struct Emptying {
    step: Step,
    device: u64,
}

impl Emptying {
    fn empty(&self, directory: &File, mode: u32, path: &Path) -> Result<()> {
        if mode & 0o700 != 0o700 {
            // The other bits stay: a reader that has just followed the link must still get in, to see that it is too late.
            let mode = Mode::from_raw_mode(mode & 0o777).union(Mode::RWXU);
            fchmod(directory, mode).at(self.step, "set the mode of", path)?;
        }
        for entry in Dir::read_from(directory).at(self.step, "list", path)? {
            let entry = entry.at(self.step, "list", path)?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let path = path.join(String::from_utf8_lossy(name.to_bytes()).as_ref());
            self.remove(directory, name, entry.file_type(), path)?;
        }
        Ok(())
    }

    fn remove(&self, above: &File, name: &std::ffi::CStr, kind: FileType, path: PathBuf) -> Result<()> {
        let kind = match kind {
            FileType::Unknown => {
                let found = statat(above, name, AtFlags::SYMLINK_NOFOLLOW).at(self.step, "inspect", &path)?;
                FileType::from_raw_mode(found.st_mode)
            }
            known => known,
        };
        if kind != FileType::Directory {
            return unlinkat(above, name, AtFlags::empty()).at(self.step, "remove", path);
        }
        self.empty_below(above, name, &path)?;
        unlinkat(above, name, AtFlags::REMOVEDIR).at(self.step, "remove", path)
    }

    fn empty_below(&self, above: &File, name: &std::ffi::CStr, path: &Path) -> Result<()> {
        let directory = match openat(above, name, DIRECTORY, Mode::empty()) {
            // As above: a umask made it, and it is empty.
            Err(Errno::ACCESS) => return Ok(()),
            opened => File::from(opened.at(self.step, "open", path)?),
        };
        let found = directory.metadata().at(self.step, "inspect", path)?;
        let mounted = platform::is_mount_point(&directory).at(self.step, "inspect", path)?;
        if mounted || found.dev() != self.device {
            return Err(Error::refuse(self.step, "enter", path, Refusal::NotAGeneration));
        }
        self.empty(&directory, found.mode(), path)
    }
}
