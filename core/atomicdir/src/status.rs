//! What is published, for people and monitors. Takes no lock and changes nothing.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::{AtFlags, statat};
use rustix::io::Errno;

use crate::error::At;
use crate::flock::Flock;
use crate::generation::Generation;
use crate::names::Role;
use crate::parent::Parent;
use crate::sweep::Inventory;
use crate::walk::{Found, Walk};
use crate::{AtomicDir, Id, Options, Result, Step, Warning, clock, options};

/// How often to look again at a link that flips meanwhile.
const ATTEMPTS: usize = 1000;

/// What is published at a link.
#[derive(Debug, Default)]
pub struct Status {
    /// The generation that the link names.
    pub current: Option<GenerationStatus>,
    /// Generations that the link no longer names, and that are still there.
    pub superseded: Vec<GenerationStatus>,
    /// What a run that did not finish left behind, or one that is under way has made so far.
    pub unfinished: Vec<Id>,
    /// When a run last succeeded, whether or not it found anything to change.
    pub last_success: Option<SystemTime>,
    /// What an operator should know.
    pub warnings: Vec<Warning>,
}

/// One generation.
#[derive(Debug)]
pub struct GenerationStatus {
    /// What tells it from others.
    pub id: Id,
    /// When it was published; of a superseded generation, when it was superseded.
    pub since: SystemTime,
    /// Whether somebody reads it.
    pub pin: Pin,
    /// The files in it.
    pub files: Vec<FileStatus>,
    /// The note beside it.
    pub note: Option<Vec<u8>>,
}

/// Whether somebody holds a generation, and so keeps it from being removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pin {
    /// Nobody holds it.
    Free,
    /// A reader holds it, or whoever else may open it and has locked it. The run that publishes it looks like one until
    /// it ends, and so does another status that is taken at the same moment.
    Pinned,
}

/// One published file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStatus {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its permission bits.
    pub mode: u32,
    /// Its owner, by number.
    pub user: u32,
    /// Its group, by number.
    pub group: u32,
}

impl Status {
    /// Looks at a link. A parent that is not there, or a link that is not, is an empty status.
    ///
    /// # Errors
    ///
    /// A link that is not ours, and whatever may not be read.
    pub fn of(link: impl AsRef<Path>) -> Result<Self> {
        let (parent, name) = options::split(link.as_ref())?;
        let Some(parent) = Parent::open_to_look(parent)? else { return Ok(Self::default()) };
        AtomicDir { parent, link: name, options: Options::new() }.status()
    }
}

impl AtomicDir {
    fn status(&self) -> Result<Status> {
        // First: what the link comes to name after this is not taken for superseded.
        let mut inventory = Inventory::take(self)?;
        let current = self.current_status()?;
        let id = current.as_ref().map(|current| &current.id);
        let superseded = inventory.superseded(id);
        inventory.marks.retain(|mark| Some(mark) != id);
        let of = |id: &Id| self.generation_status(id).transpose();
        // Whoever succeeds leaves a link. Without one, the lock's time is that of a run which was killed as it made the lock.
        let last_success = if current.is_some() { self.last_success()? } else { None };
        Ok(Status {
            current,
            superseded: superseded.iter().filter_map(of).collect::<Result<_>>()?,
            unfinished: inventory.marks.into_iter().collect(),
            last_success,
            warnings: self.parent.warnings.clone(),
        })
    }

    /// Looks at the current generation. One that is being removed by now is current no longer: look at the link again.
    fn current_status(&self) -> Result<Option<GenerationStatus>> {
        for _ in 0..ATTEMPTS {
            let Some(id) = self.read_link()? else { return Ok(None) };
            if let Some(status) = self.generation_status(&id)? {
                return Ok(Some(status));
            }
        }
        Ok(None)
    }

    fn last_success(&self) -> Result<Option<SystemTime>> {
        let name = self.link.lock();
        let found = match statat(&self.parent.directory, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(None),
            found => found.at(Step::Lock, "inspect", self.parent.join(&name))?,
        };
        Ok(Some(clock::modified(&found)).filter(|time| *time != clock::NEVER))
    }

    /// Looks at one generation: `None` if a run has not finished it yet, or is removing it.
    fn generation_status(&self, id: &Id) -> Result<Option<GenerationStatus>> {
        let Some(Generation { directory, found }) = Generation::open(self, Step::Read, id)? else {
            return Ok(None);
        };
        let path = self.parent.join(&self.link.name(Role::Generation, id));
        let lock = directory.try_clone().and_then(|lock| Ok(Flock::shared(lock)?));
        // No run can begin to remove what is held here. What somebody has locked against it is listed all the same.
        let held = lock.at(Step::Read, "hold", &path)?;
        let listed = list(&directory, &path);
        // In this order, after the listing: a removal makes its mark before all else, and removes it last.
        if self.is_unfinished(id)? || is_removed(&directory).at(Step::Read, "inspect", &path)? {
            return Ok(None);
        }
        let files = listed?;
        let since = found.modified().at(Step::Read, "inspect", &path)?;
        // Last, for a snapshot that meets the exclusive lock has to try again.
        let pin = pin(held).at(Step::Read, "look for pins on", path)?;
        Ok(Some(GenerationStatus { id: id.clone(), since, pin, files, note: self.note(id)? }))
    }

    /// Says whether a generation bears the mark of a run that makes or removes it, which none does to what the link names.
    fn is_unfinished(&self, id: &Id) -> Result<bool> {
        if self.read_link()?.as_ref() == Some(id) {
            return Ok(false);
        }
        let mark = self.link.name(Role::Mark, id);
        match statat(&self.parent.directory, &mark, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(false),
            found => found.at(Step::Read, "inspect", self.parent.join(&mark)).map(|_| true),
        }
    }
}

/// Lists the files in a generation, in the order of their names.
fn list(directory: &File, path: &Path) -> Result<Vec<FileStatus>> {
    let mut files = Vec::new();
    Walk { step: Step::Read, root: path }.visit(directory, &mut |name, found| {
        if let Found::File(_, found) = found {
            files.push(FileStatus::of(name, found));
        }
        Ok(())
    })?;
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

fn is_removed(directory: &File) -> io::Result<bool> {
    directory.metadata().map(|found| found.nlink() == 0)
}

/// Tells, from a lock that others may share, if there is one, whether anybody does.
fn pin(held: Option<Flock>) -> rustix::io::Result<Pin> {
    let Some(held) = held else { return Ok(Pin::Pinned) };
    Ok(held.make_exclusive()?.map_or(Pin::Pinned, |_| Pin::Free))
}

impl FileStatus {
    fn of(name: &str, found: &Metadata) -> Self {
        let (mode, user, group) = (found.mode() & 0o7777, found.uid(), found.gid());
        Self { name: name.to_owned(), size: found.len(), mode, user, group }
    }
}
