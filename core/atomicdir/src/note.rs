//! A few bytes that a publisher keeps of a generation, in the state directory. What they say is the publisher's affair.
//!
//! A note is written before the flip, so that a generation is never current without it. It may be replaced later by one
//! rename, and is removed with its generation. Only the publisher and root can read it.
//!
//! A claim is a lock on the note's file. It serves work that follows a publish, such as telling a program of it, which may
//! take longer than the publisher's lock should be held:
//!
//! 1. Under the lock, read the note: it says that there is work to do.
//! 2. Under the same lock, claim the note. If somebody else has it, they do the work.
//! 3. Give the lock back, work, take the lock again, and replace the note by one that says "done".
//! 4. Drop the claim. Should the process be killed before that, the kernel drops it, and the note still says "to do".
//!
//! The claim is on the file, and replacing the note makes another file. So a note must not be replaced by anyone but the
//! holder of its claim; the lock that replacing takes is what both look under.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, fchmod, fsync, openat, renameat};
use rustix::io::Errno;

use crate::error::At;
use crate::flock::Flock;
use crate::generation::Generation;
use crate::names::{NOTE, StateName};
use crate::staging::CREATE;
use crate::state::State;
use crate::sweep::Inventory;
use crate::walk::READ;
use crate::{AtomicDir, Durability, Error, Id, Locked, Refusal, Result, Step, platform, removal};

/// The longest note, in bytes.
const LONGEST: u64 = 16 << 20;

/// Only the publisher reads notes, and root.
const MODE: Mode = Mode::RUSR.union(Mode::WUSR);

/// A note that this process alone works on, until the claim is dropped. Survives the lock.
///
/// It says nothing of who may publish: another run may supersede the generation meanwhile. So whoever has done the work takes
/// the lock again, and looks whether the generation is still current, before they replace its note.
#[derive(Debug)]
#[must_use = "the claim ends when it is dropped"]
pub struct NoteClaim {
    _held: Flock,
}

impl Locked {
    /// Reads the note of the current generation: `None` if there is none, or nothing is published.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let link = folder.path().join("app");
    /// let mut locked = atomicdir::Options::new().open(&link)?.try_lock()?;
    /// locked.stage()?.publish(Some(b"from the build 4711"))?;
    /// assert_eq!(locked.note()?.as_deref(), Some(&b"from the build 4711"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// It cannot be read, is not a regular file, or is longer than 16 MiB.
    pub fn note(&self) -> Result<Option<Vec<u8>>> {
        match &self.current {
            Some(current) => read(&self.state, current),
            None => Ok(None),
        }
    }

    /// Reads every note that is there: of the current generation, and of those that are retained or pinned.
    ///
    /// # Errors
    ///
    /// The state directory or a note cannot be read.
    pub fn notes(&self) -> Result<Vec<Vec<u8>>> {
        let inventory = Inventory::take(&self.dir, Some(&self.state))?;
        let notes = inventory.noted().map(|id| read(&self.state, id).transpose());
        notes.flatten().collect()
    }

    /// Claims the note of the current generation: `None` if there is no note, or another process works on it.
    ///
    /// Two processes that find the same work noted agree in this way on who does it, without holding the lock for it.
    ///
    /// # Errors
    ///
    /// As for [`note`](Self::note).
    pub fn claim_note(&self) -> Result<Option<NoteClaim>> {
        let Some(current) = &self.current else { return Ok(None) };
        let Some((file, path)) = open(&self.state, current)? else { return Ok(None) };
        let held = Flock::exclusive(file).at(Step::Note, "lock", path)?;
        Ok(held.map(|held| NoteClaim { _held: held }))
    }

    /// Replaces the note of the current generation, atomically, and durably unless the options say otherwise. The directory
    /// that holds the link does not change by it.
    ///
    /// A generation without a record, because somebody removed the state directory, is put on record: call this only if
    /// what it holds has been compared with what you would publish.
    ///
    /// # Errors
    ///
    /// What kept it from being replaced; the old note is still there, or the new one is complete.
    pub fn replace_note(&self, bytes: &[u8]) -> Result<()> {
        let Some(current) = &self.current else { return Ok(()) };
        self.restore_record(current)?;
        let state = &self.state;
        let random = &self.dir.options.random;
        let made = random.fresh(NOTE, |name, _| openat(&state.directory, name, CREATE, MODE).map(File::from));
        let (id, file) = made.at(Step::Note, "create a note in", &state.path)?;
        let replaced = fill_and_rename(&self.dir, state, &id, file, bytes, current);
        if replaced.is_err() && removal::forget(state, Step::Note, &id).is_err() {
            // It belongs to no generation, so the next run's healing removes it.
            tracing::debug!(step = Step::Note.number(), %id, "a half-written note stays until the next run");
        }
        replaced
    }

    /// Puts the current generation on record again if its record is gone, so that it can be removed one day.
    fn restore_record(&self, current: &Id) -> Result<()> {
        if self.state.recorded(Step::Note, current)?.is_some() {
            return Ok(());
        }
        match Generation::open_if_ours(&self.dir, Step::Note, current)? {
            Some(generation) => self.state.record(&self.dir, Step::Note, current, generation.found.ino()),
            None => Ok(()),
        }
    }
}

/// Reads a note: `None` if there is none.
///
/// At most one byte more than a note may have is read, whatever is there.
pub(crate) fn read(state: &State, id: &Id) -> Result<Option<Vec<u8>>> {
    let Some((file, path)) = open(state, id)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).at(Step::Note, "read", &path)?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::refuse(Step::Note, "read", path, Refusal::NoteTooLong(LONGEST)));
    }
    Ok(Some(bytes))
}

/// Opens a note, if it is a regular file: through no link, and without waiting for the other end of a FIFO.
fn open(state: &State, id: &Id) -> Result<Option<(File, PathBuf)>> {
    let name = StateName::Note(id.clone()).to_string();
    let path = state.join(&name);
    let refuse = |path| Error::refuse(Step::Note, "read", path, Refusal::NotOfOurMaking);
    let file = match openat(&state.directory, &name, READ, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP | Errno::NXIO) => return Err(refuse(path)),
        opened => File::from(opened.at(Step::Note, "open", &path)?),
    };
    let found = file.metadata().at(Step::Note, "inspect", &path)?;
    if found.is_file() { Ok(Some((file, path))) } else { Err(refuse(path)) }
}

/// Writes the note of a generation that is being staged (step 7). The barrier, which follows, makes it durable.
pub(crate) fn create(dir: &AtomicDir, state: &State, id: &Id, bytes: &[u8]) -> Result<()> {
    let name = StateName::Note(id.clone()).to_string();
    let path = state.join(&name);
    let made = openat(&state.directory, &name, CREATE, MODE).at(Step::Note, "create", &path)?;
    let file = fill(made.into(), bytes, &path)?;
    if dir.options.durability.syncs_each() {
        fsync(&file).at(Step::Note, "sync", &path)?;
        fsync(&state.directory).at(Step::Note, "sync", &state.path)?;
    }
    platform::close(file).at(Step::Note, "close", path)
}

/// Writes a note into its new file. One that is too long is refused before a byte of it is on disk.
fn fill(mut file: File, bytes: &[u8], path: &Path) -> Result<File> {
    if bytes.len() as u64 > LONGEST {
        return Err(Error::refuse(Step::Note, "write", path, Refusal::NoteTooLong(LONGEST)));
    }
    file.write_all(bytes).at(Step::Note, "write", path)?;
    fchmod(&file, MODE).at(Step::Note, "set the mode of", path)?;
    Ok(file)
}

/// Fills a new note and renames it over the old one. The file is synced before the rename, and the directory after it: a
/// power cut leaves the old note or the new one.
fn fill_and_rename(
    dir: &AtomicDir,
    state: &State,
    from: &Id,
    file: File,
    bytes: &[u8],
    to: &Id,
) -> Result<()> {
    let (from, to) = (StateName::Note(from.clone()).to_string(), StateName::Note(to.clone()).to_string());
    let path = state.join(&to);
    let file = fill(file, bytes, &path)?;
    let durable = dir.options.durability != Durability::None;
    if durable {
        fsync(&file).at(Step::Note, "sync", &path)?;
    }
    platform::close(file).at(Step::Note, "close", &path)?;
    renameat(&state.directory, from, &state.directory, to).at(Step::Note, "replace", path)?;
    if durable {
        fsync(&state.directory).at(Step::Note, "sync", &state.path)?;
    }
    Ok(())
}
