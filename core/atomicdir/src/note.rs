//! A few bytes that a publisher keeps beside a generation. What they say is the publisher's affair.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, fchmod, fsync, openat, renameat};
use rustix::io::Errno;

use crate::error::At;
use crate::flock::Flock;
use crate::names::Role;
use crate::staging::CREATE;
use crate::walk::READ;
use crate::{AtomicDir, Durability, Error, Id, Locked, Refusal, Result, Step, platform, removal};

/// The longest note, in bytes.
const LONGEST: u64 = 16 << 20;

const MODE: Mode = Mode::RUSR.union(Mode::WUSR);

/// A note that this process alone works on, until the claim is dropped. Survives the lock.
#[derive(Debug)]
pub struct NoteClaim {
    _held: Flock,
}

impl AtomicDir {
    /// Reads the note beside a generation: `None` if there is none.
    ///
    /// # Errors
    ///
    /// It cannot be read, is not a regular file of ours, or is longer than 16 MiB.
    pub fn note(&self, id: &Id) -> Result<Option<Vec<u8>>> {
        let Some(file) = self.open_note(id)? else { return Ok(None) };
        let path = self.parent.join(&self.link.name(Role::Note, id));
        let mut bytes = Vec::new();
        file.take(LONGEST + 1).read_to_end(&mut bytes).at(Step::Note, "read", &path)?;
        if bytes.len() as u64 > LONGEST {
            return Err(Error::refuse(Step::Note, "read", path, Refusal::NoteTooLong(LONGEST)));
        }
        Ok(Some(bytes))
    }

    fn open_note(&self, id: &Id) -> Result<Option<File>> {
        let name = self.link.name(Role::Note, id);
        let path = || self.parent.join(&name);
        let refuse = || Error::refuse(Step::Note, "read", path(), Refusal::NotOfOurMaking);
        let file = match openat(&self.parent.directory, &name, READ, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NXIO) => return Err(refuse()),
            opened => File::from(opened.at(Step::Note, "open", path())?),
        };
        let found = file.metadata().at(Step::Note, "inspect", path())?;
        if !found.is_file() {
            return Err(refuse());
        }
        self.parent.ensure_ours(Step::Note, &name, found.uid(), None)?;
        Ok(Some(file))
    }

    /// Claims the note beside a generation: `None` if there is no note, or another process works on it.
    ///
    /// Two processes that find the same work noted agree in this way on who does it, without holding the lock for it.
    ///
    /// # Errors
    ///
    /// As for [`note`](Self::note).
    pub fn claim_note(&self, id: &Id) -> Result<Option<NoteClaim>> {
        let Some(file) = self.open_note(id)? else { return Ok(None) };
        let path = self.parent.join(&self.link.name(Role::Note, id));
        let held = Flock::exclusive(file).at(Step::Note, "lock", path)?;
        Ok(held.map(|held| NoteClaim { _held: held }))
    }
}

impl Locked<'_> {
    /// Replaces the note of the current generation, atomically, and durably unless the options say otherwise.
    ///
    /// # Errors
    ///
    /// What kept it from being replaced; the old note is still there, or the new one is complete.
    pub fn replace_note(&self, bytes: &[u8]) -> Result<()> {
        let Some(current) = &self.current else { return Ok(()) };
        let (dir, prefix) = (self.dir, self.dir.link.prefix(Role::Note));
        let made =
            Id::fresh(&prefix, |name, _| openat(&dir.parent.directory, name, CREATE, MODE).map(File::from));
        let (id, file) = made.at(Step::Note, "create a note in", &dir.parent.path)?;
        let replaced = fill_and_rename(dir, &id, file, bytes, current);
        if replaced.is_err() && removal::remove_note(dir, Step::Note, &id).is_err() {
            // It belongs to no generation, so the next run's healing removes it.
            tracing::debug!(step = Step::Note.number(), %id, "a half-written note stays until the next run");
        }
        replaced
    }
}

/// Writes the note of a generation that is being staged (step 7).
pub(crate) fn create(dir: &AtomicDir, id: &Id, bytes: &[u8]) -> Result<()> {
    let name = dir.link.name(Role::Note, id);
    let path = dir.parent.join(&name);
    let made = openat(&dir.parent.directory, &name, CREATE, MODE).at(Step::Note, "create", &path)?;
    let file = fill(made.into(), bytes, &path)?;
    if dir.options.durability.syncs_each() {
        fsync(&file).at(Step::Note, "sync", &path)?;
    }
    platform::close(file).at(Step::Note, "close", path)
}

fn fill(mut file: File, bytes: &[u8], path: &Path) -> Result<File> {
    if bytes.len() as u64 > LONGEST {
        return Err(Error::refuse(Step::Note, "write", path, Refusal::NoteTooLong(LONGEST)));
    }
    file.write_all(bytes).at(Step::Note, "write", path)?;
    fchmod(&file, MODE).at(Step::Note, "set the mode of", path)?;
    Ok(file)
}

fn fill_and_rename(dir: &AtomicDir, from: &Id, file: File, bytes: &[u8], to: &Id) -> Result<()> {
    let parent = &dir.parent.directory;
    let (from, to) = (dir.link.name(Role::Note, from), dir.link.name(Role::Note, to));
    let path = dir.parent.join(&to);
    let file = fill(file, bytes, &path)?;
    let durable = dir.options.durability != Durability::None;
    if durable {
        fsync(&file).at(Step::Note, "sync", &path)?;
    }
    platform::close(file).at(Step::Note, "close", &path)?;
    renameat(parent, from, parent, to).at(Step::Note, "replace", path)?;
    if durable {
        fsync(parent).at(Step::Note, "sync", &dir.parent.path)?;
    }
    Ok(())
}
