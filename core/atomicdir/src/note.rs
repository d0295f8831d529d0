//! A note about a generation: some bytes of the publisher, kept in the state directory. The publisher decides what they
//! mean.
//!
//! A note is written before the flip, so a generation is never current without it. One rename can replace it later, and
//! it is removed with its generation. Only the publisher and root can read it.
//!
//! A claim is a lock on the file of the note. It is for work that follows a publish, such as notifying a program. Such
//! work may take longer than the publisher's lock should be held:
//!
//! 1. Hold the lock and read the note. It says that there is work to do.
//! 2. Still hold the lock and claim the note. If another process has the claim, it does the work.
//! 3. Release the lock and do the work. Then take the lock again, and replace the note by one that says "done".
//! 4. Drop the claim. If the process is killed before that, the kernel drops the claim, and the note still says "to
//!    do".
//!
//! The claim is on the file, and replacing the note makes a new file. So only the holder of the claim may replace the
//! note. Reading, claiming and replacing all need the publisher's lock, so they cannot race.

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

/// The maximum size of a note, in bytes.
const LONGEST: u64 = 16 << 20;

/// Only the publisher and root may read notes.
const MODE: Mode = Mode::RUSR.union(Mode::WUSR);

/// The exclusive right to work on a note. It lasts until it is dropped, even after the lock is released.
///
/// It does not stop other runs from publishing: one may supersede the generation meanwhile. So after the work, take the
/// lock again, and check that the generation is still current before you replace its note.
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

    /// Reads all notes: that of the current generation, and those of retained or pinned ones.
    ///
    /// # Errors
    ///
    /// The state directory or a note cannot be read.
    pub fn notes(&self) -> Result<Vec<Vec<u8>>> {
        let inventory = Inventory::take(&self.dir, Some(&self.state))?;
        let notes = inventory.noted().map(|id| read(&self.state, id).transpose());
        notes.flatten().collect()
    }

    /// Claims the note of the current generation: `None` if there is no note, or another process has the claim.
    ///
    /// If two processes find the same work in the note, the claim decides which one does it. Neither has to hold the
    /// lock for the work.
    ///
    /// # Errors
    ///
    /// The same as those of [`note`](Self::note).
    pub fn claim_note(&self) -> Result<Option<NoteClaim>> {
        let Some(current) = &self.current else { return Ok(None) };
        let Some((file, path)) = open(&self.state, current)? else { return Ok(None) };
        let held = Flock::exclusive(file).at(Step::Note, "lock", path)?;
        Ok(held.map(|held| NoteClaim { _held: held }))
    }

    /// Replaces the note of the current generation. This is atomic, and durable unless the options say otherwise. It
    /// does not change the directory that holds the link.
    ///
    /// A generation without a record, because the state directory was removed, gets a new record. So call this only
    /// after you have compared the generation with what you would publish.
    ///
    /// # Errors
    ///
    /// The note could not be replaced. Either the old note is still there, or the new one is complete.
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

    /// Makes a new record of the current generation if it has none, so that it can be removed one day.
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
/// It reads at most one byte more than the limit, however long the file is.
pub(crate) fn read(state: &State, id: &Id) -> Result<Option<Vec<u8>>> {
    let Some((file, path)) = open(state, id)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).at(Step::Note, "read", &path)?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::refuse(Step::Note, "read", path, Refusal::NoteTooLong(LONGEST)));
    }
    Ok(Some(bytes))
}

/// Opens a note that is a regular file. It follows no link, and does not wait for the other end of a FIFO.
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

/// Writes the note of a staging (step 7). The barrier that follows makes it durable.
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

/// Writes a note into its new file. A note that is too long is refused before any byte is on disk.
fn fill(mut file: File, bytes: &[u8], path: &Path) -> Result<File> {
    if bytes.len() as u64 > LONGEST {
        return Err(Error::refuse(Step::Note, "write", path, Refusal::NoteTooLong(LONGEST)));
    }
    file.write_all(bytes).at(Step::Note, "write", path)?;
    fchmod(&file, MODE).at(Step::Note, "set the mode of", path)?;
    Ok(file)
}

/// Writes a new note and renames it over the old one. The file is synced before the rename, and the directory after it.
/// So a power cut leaves the old note or the new one.
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
