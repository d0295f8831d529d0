//! The status of what is published, read while runs go on.
//!
//! Runs may publish, retire and heal at the same time. Each race is handled as follows:
//!
//! - *A flip in between.* The parent is listed before the link is read. So a generation that becomes current in between
//!   is not listed as superseded. The one that was current until then is listed, and rightly reported as superseded.
//! - *A generation that is removed meanwhile.* A shared lock on it keeps a removal from starting. A removal that has
//!   started makes a mark first. So after the listing, not before, the code checks for a mark, and whether the
//!   directory is gone. If so, the generation is not reported at all, rather than in part.
//! - *A generation in progress.* It has a mark too, and is reported as unfinished.
//! - *A current generation that is removed.* By then the link names another one: the link is read again.
//! - *A snapshot that is being opened.* To detect a pin, the lock is made exclusive for a moment, as the last step. A
//!   snapshot that meets it tries again. Two status calls at the same moment see each other as readers
//!   ([`Pin::Pinned`]).

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::{AtFlags, Stat, statat};
use rustix::io::Errno;

use crate::error::At;
use crate::flock::Flock;
use crate::generation::Generation;
use crate::names::{LOCK, Role};
use crate::state::State;
use crate::status::{FileStatus, GenerationStatus, Listing, Pin, Status, SupersededStatus, View};
use crate::sweep::Inventory;
use crate::walk::{Access, Found, Walk};
use crate::{AtomicDir, Id, Result, Step, clock, keeper, note};

/// The maximum number of attempts at a link that flips meanwhile.
const ATTEMPTS: usize = 1000;

impl AtomicDir {
    /// Returns the status of the link.
    pub(crate) fn status(&self) -> Result<Status> {
        let (state, state_view) = match State::open(self, Step::Read) {
            Err(error) if error.is_denied() => (None, View::Reader),
            opened => (opened?, View::Full),
        };
        // Must come first: a generation that becomes current after this is not reported as superseded.
        let (mut inventory, view) = match Inventory::take(self, None) {
            Err(error) if error.is_denied() => (Inventory::default(), View::Reader),
            taken => (taken?, state_view),
        };
        let mut looking = StatusReader { dir: self, state: state.as_ref(), view };
        let current = looking.current()?;
        let id = current.as_ref().map(|current| &current.id);
        let superseded = inventory.superseded(id);
        inventory.marks.retain(|mark| Some(mark) != id);
        let superseded = superseded.iter().filter_map(|id| looking.superseded(id).transpose());
        let superseded = superseded.collect::<Result<_>>()?;
        // A successful run leaves a link. Without one, the lock's time is that of a run that was killed while it made
        // the lock.
        let last_success = if current.is_some() { looking.last_success()? } else { None };
        let keeper = state.as_ref().map_or(Ok(None), keeper::recorded)?;
        let unfinished = inventory.marks.into_iter().collect();
        Ok(Status { superseded, unfinished, last_success, keeper, view: looking.view, current })
    }
}

impl AtomicDir {
    /// Reads the note of a generation, and returns how much this user may see.
    pub(crate) fn visible_note(&self, step: Step, id: &Id) -> Result<(Option<Vec<u8>>, View)> {
        visible(
            State::open(self, step).and_then(|state| state.map_or(Ok(None), |state| note::read(&state, id))),
        )
    }
}

/// Distinguishes a missing note from one that this user may not see.
fn visible(read: Result<Option<Vec<u8>>>) -> Result<(Option<Vec<u8>>, View)> {
    match read {
        Err(error) if error.is_denied() => Ok((None, View::Reader)),
        read => Ok((read?, View::Full)),
    }
}

/// The facts about a generation that are known without its files.
struct Seen {
    since: SystemTime,
    pin: Pin,
}

/// A status in progress, and how much of it was visible so far.
struct StatusReader<'d> {
    dir: &'d AtomicDir,
    state: Option<&'d State>,
    view: View,
}

impl StatusReader<'_> {
    /// Inspects the current generation. If it is being removed, it is no longer current: the link is read again.
    fn current(&mut self) -> Result<Option<GenerationStatus>> {
        for _ in 0..ATTEMPTS {
            let Some(id) = self.dir.read_link()? else { return Ok(None) };
            if let Some((Seen { since, pin }, listed)) = self.look(&id, Self::list)? {
                let (files, listing) = listed.unwrap_or((Vec::new(), Listing::Partial));
                let note = self.note(&id)?;
                return Ok(Some(GenerationStatus { id, since, pin, files, listing, note }));
            }
        }
        Ok(None)
    }

    /// Inspects a superseded generation, but not its files: `None` if a run has not finished it yet, or is removing it.
    fn superseded(&mut self, id: &Id) -> Result<Option<SupersededStatus>> {
        let looked = self.look(id, |_, _, _| Ok(()))?;
        Ok(looked.map(|(Seen { since, pin }, _)| SupersededStatus { id: id.clone(), since, pin }))
    }

    /// Returns the time of the lock, if this user may see it, and if a run has succeeded under it.
    fn last_success(&self) -> Result<Option<SystemTime>> {
        let Some(state) = self.state else { return Ok(None) };
        let found = match statat(&state.directory, LOCK, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(None),
            found => found.at(Step::Lock, "inspect", state.join(LOCK))?,
        };
        Ok(Some(clock::modified(&found)).filter(|time| *time != clock::NEVER))
    }

    /// Inspects one generation and calls the closure for its contents. A lock keeps any run from removing it. `None` if
    /// a run has not finished it yet, or is removing it. The result of the closure is `None` if this user may not open
    /// the generation.
    fn look<T>(
        &mut self,
        id: &Id,
        inside: impl FnOnce(&mut Self, &File, &Path) -> Result<T>,
    ) -> Result<Option<(Seen, Option<T>)>> {
        let opened = match Generation::open(self.dir, Step::Read, id) {
            Err(error) if error.is_denied() => return Ok(self.closed(id)?.map(|seen| (seen, None))),
            opened => opened?,
        };
        let Some(Generation { directory, found }) = opened else { return Ok(None) };
        let path = self.dir.generation_path(id);
        let lock = directory.try_clone().and_then(|lock| Ok(Flock::shared(lock)?));
        // If another process has an exclusive lock on it, go on without a lock.
        let held = lock.at(Step::Read, "hold", &path)?;
        let looked = inside(self, &directory, &path);
        // Must come after the closure: a removal makes its mark before anything else, and removes it last.
        if self.is_unfinished(id)? || is_removed(&directory).at(Step::Read, "inspect", &path)? {
            return Ok(None);
        }
        let looked = looked?;
        let since = found.modified().at(Step::Read, "inspect", &path)?;
        // Must come last: a snapshot that meets the exclusive lock has to try again.
        let pin = pin(held).at(Step::Read, "look for pins on", path)?;
        Ok(Some((Seen { since, pin }, Some(looked))))
    }

    /// Reads the note of a generation, if this user may.
    fn note(&mut self, id: &Id) -> Result<Option<Vec<u8>>> {
        let Some(state) = self.state else { return Ok(None) };
        let (note, view) = visible(note::read(state, id))?;
        if view == View::Reader {
            self.view = view;
        }
        Ok(note)
    }

    /// Returns the facts about a generation that this user may not open.
    fn closed(&mut self, id: &Id) -> Result<Option<Seen>> {
        self.view = View::Reader;
        let name = self.dir.link.name(Role::Generation, id);
        let found = match statat(&self.dir.parent.directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(None),
            found => found.at(Step::Read, "inspect", self.dir.generation_path(id))?,
        };
        let is_unfinished = self.is_unfinished(id)?;
        Ok((!is_unfinished).then(|| Seen { since: clock::modified(&found), pin: Pin::Unknown }))
    }

    /// Lists the files in a generation, sorted by name.
    fn list(&mut self, directory: &File, path: &Path) -> Result<(Vec<FileStatus>, Listing)> {
        let (mut files, mut listing) = (Vec::new(), Listing::Complete);
        let walk = Walk { step: Step::Read, root: path, access: Access::Inspect };
        walk.visit(directory, &mut |name, found| {
            match found {
                Found::Inspected(found) => files.push(FileStatus::of(name, found)),
                Found::Closed => listing = Listing::Partial,
                Found::File(..) | Found::Directory(_) | Found::Other => {}
            }
            Ok(())
        })?;
        if listing == Listing::Partial {
            self.view = View::Reader;
        }
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok((files, listing))
    }

    /// Returns whether a generation has the mark of a run that makes or removes it. A current generation never counts
    /// as marked.
    fn is_unfinished(&self, id: &Id) -> Result<bool> {
        if self.dir.read_link()?.as_ref() == Some(id) {
            return Ok(false);
        }
        let mark = self.dir.link.name(Role::Mark, id);
        match statat(&self.dir.parent.directory, &mark, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(false),
            found => found.at(Step::Read, "inspect", self.dir.parent.join(&mark)).map(|_| true),
        }
    }
}

/// Returns whether an open directory has been removed.
fn is_removed(directory: &File) -> io::Result<bool> {
    directory.metadata().map(|found| found.nlink() == 0)
}

/// Returns whether others hold the generation. A missing lock means that another process has an exclusive one.
fn pin(held: Option<Flock>) -> rustix::io::Result<Pin> {
    let Some(held) = held else { return Ok(Pin::Pinned) };
    Ok(held.make_exclusive()?.map_or(Pin::Pinned, |_| Pin::Free))
}

impl FileStatus {
    /// Returns the attributes of a file from its inode.
    fn of(name: &str, found: &Stat) -> Self {
        let size = found.st_size.try_into().unwrap_or_default();
        let (mode, user, group) = (found.st_mode & 0o7777, found.st_uid, found.st_gid);
        Self { name: name.to_owned(), size, mode, user, group }
    }
}
