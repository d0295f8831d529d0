//! What is published, for people and monitors. Takes no lock and changes nothing.
//!
//! Only the files of the current generation are looked at. Of a superseded one its name, its age and its pin are told,
//! which takes the same few calls however many files it has.
//!
//! Runs may publish, retire and heal at the same time. Each race is met as follows:
//!
//! - *A flip between two looks.* The parent is listed before the link is read. So what becomes current in between is not in
//!   the list as superseded; what was current until then is, and is rightly told as superseded.
//! - *A generation that goes while it is looked at.* It is held with a shared lock, which keeps a removal from beginning. One
//!   that had begun bears a mark before anything else happens to it; so after the listing, not before, it is looked whether
//!   there is a mark, or the directory is gone. If so, nothing is told of it, rather than half of it.
//! - *A generation that is being made.* It bears a mark, too, and is told as unfinished.
//! - *A current generation that goes.* By then the link names another one: the link is read anew.
//! - *A snapshot that is being opened.* To see a pin, this lock is made exclusive for a moment, as the last thing. A snapshot
//!   that meets it tries again; two looks at the same moment take each other for readers ([`Pin::Pinned`]).

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{AtFlags, statat};
use rustix::io::Errno;

use crate::error::At;
use crate::flock::Flock;
use crate::generation::Generation;
use crate::names::{LOCK, Role};
use crate::parent::Parent;
use crate::state::State;
use crate::sweep::Inventory;
use crate::walk::{Access, Found, Walk};
use crate::{AtomicDir, Id, Options, Result, Step, clock, note, options};

/// How often to look again at a link that flips meanwhile.
const ATTEMPTS: usize = 1000;

/// What is published at a link.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let link = folder.path().join("app");
/// use atomicdir::Status;
///
/// atomicdir::fill(&link, |staging| staging.write("db/password", "hunter2"))?;
/// let current = Status::of(&link)?.current.expect("a set is published");
/// assert_eq!(current.files[0].name, "db/password");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Status {
    /// The generation that the link names.
    pub current: Option<GenerationStatus>,
    /// Generations that the link no longer names, and that are still there, in no order of age.
    pub superseded: Vec<SupersededStatus>,
    /// What a run that did not finish left behind, or one that is under way has made so far.
    pub unfinished: Vec<Id>,
    /// When a run last succeeded, whether or not it found anything to change.
    pub last_success: Option<SystemTime>,
    /// How much of it this user may see.
    pub view: View,
}

/// Whether all files of a generation are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// All of them.
    Complete,
    /// This user may not list the generation, or a directory in it.
    Partial,
}

/// How much of what is published this user may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum View {
    /// All of it.
    #[default]
    Full,
    /// That of a reader: not the notes, not when a run last succeeded, and no file in a directory that the reader may not list.
    Reader,
}

/// The generation that the link names.
#[derive(Debug)]
#[non_exhaustive]
pub struct GenerationStatus {
    /// What tells it from others.
    pub id: Id,
    /// When it was published, by the clock of the run that did.
    pub since: SystemTime,
    /// Whether somebody reads it.
    pub pin: Pin,
    /// The files in it, as far as this user may list them.
    pub files: Vec<FileStatus>,
    /// Whether these are all.
    pub listing: Listing,
    /// The note beside it.
    pub note: Option<Vec<u8>>,
}

/// A generation that the link no longer names.
#[derive(Debug)]
#[non_exhaustive]
pub struct SupersededStatus {
    /// What tells it from others.
    pub id: Id,
    /// When it was superseded, by the clock of the run that did.
    pub since: SystemTime,
    /// Whether somebody reads it. Nothing that is pinned is removed.
    pub pin: Pin,
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
    /// This user may not open it, and so cannot tell.
    Unknown,
}

/// One published file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileStatus {
    /// Its name. What somebody else has put there may have any: characters that are not UTF-8 are replaced.
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
    /// Whoever may not see all is told what they may see, and that it is not all ([`View::Reader`]).
    ///
    /// # Errors
    ///
    /// A link that is not ours, and whatever may not be read.
    pub fn of(link: impl AsRef<Path>) -> Result<Self> {
        Options::new().status(link)
    }
}

impl Options {
    /// Looks at a link, as [`Status::of`] does: of the options only [`parents`](Self::parents) matters.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn status(self, link: impl AsRef<Path>) -> Result<Status> {
        let (parent, name) = options::split(link.as_ref())?;
        let Some(parent) = Parent::open_to_look(parent, self.parents)? else { return Ok(Status::default()) };
        self.with(parent, name).status()
    }
}

impl AtomicDir {
    fn status(&self) -> Result<Status> {
        let (state, state_view) = match State::open(self, Step::Read) {
            Err(error) if error.is_denied() => (None, View::Reader),
            opened => (opened?, View::Full),
        };
        // First: what the link comes to name after this is not taken for superseded.
        let (mut inventory, view) = match Inventory::take(self, None) {
            Err(error) if error.is_denied() => (Inventory::default(), View::Reader),
            taken => (taken?, state_view),
        };
        let mut looking = Looking { dir: self, state: state.as_ref(), view };
        let current = looking.current()?;
        let id = current.as_ref().map(|current| &current.id);
        let superseded = inventory.superseded(id);
        inventory.marks.retain(|mark| Some(mark) != id);
        let superseded = superseded.iter().filter_map(|id| looking.superseded(id).transpose());
        let superseded = superseded.collect::<Result<_>>()?;
        // Whoever succeeds leaves a link. Without one, the lock's time is that of a run which was killed as it made the lock.
        let last_success = if current.is_some() { looking.last_success()? } else { None };
        let unfinished = inventory.marks.into_iter().collect();
        Ok(Status { superseded, unfinished, last_success, view: looking.view, current })
    }
}

/// What can be told of a generation without a look at its files.
struct Seen {
    since: SystemTime,
    pin: Pin,
}

/// A look at what is published, and how much of it was seen so far.
struct Looking<'d> {
    dir: &'d AtomicDir,
    state: Option<&'d State>,
    view: View,
}

impl Looking<'_> {
    /// Looks at the current generation. One that is being removed by now is current no longer: look at the link again.
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

    /// Looks at a generation that the link does not name, and at nothing in it: `None` if a run has not finished it yet, or is
    /// removing it.
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

    /// Looks at one generation, held so that no run begins to remove it, and at what is in it with the closure: `None` if a
    /// run has not finished it yet, or is removing it. What the closure found is `None` if this user may not open it.
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
        let path = self.path(id);
        let lock = directory.try_clone().and_then(|lock| Ok(Flock::shared(lock)?));
        // What somebody has locked against this is looked at all the same.
        let held = lock.at(Step::Read, "hold", &path)?;
        let looked = inside(self, &directory, &path);
        // In this order, after the look inside: a removal makes its mark before all else, and removes it last.
        if self.is_unfinished(id)? || is_removed(&directory).at(Step::Read, "inspect", &path)? {
            return Ok(None);
        }
        let looked = looked?;
        let since = found.modified().at(Step::Read, "inspect", &path)?;
        // Last, for a snapshot that meets the exclusive lock has to try again.
        let pin = pin(held).at(Step::Read, "look for pins on", path)?;
        Ok(Some((Seen { since, pin }, Some(looked))))
    }

    /// Reads the note of a generation, if this user may.
    fn note(&mut self, id: &Id) -> Result<Option<Vec<u8>>> {
        let Some(state) = self.state else { return Ok(None) };
        match note::read(state, id) {
            Err(error) if error.is_denied() => {
                self.view = View::Reader;
                Ok(None)
            }
            read => read,
        }
    }

    /// Tells what can be told of a generation that this user may not open.
    fn closed(&mut self, id: &Id) -> Result<Option<Seen>> {
        self.view = View::Reader;
        let name = self.dir.link.name(Role::Generation, id);
        let found = match statat(&self.dir.parent.directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(None),
            found => found.at(Step::Read, "inspect", self.path(id))?,
        };
        let is_unfinished = self.is_unfinished(id)?;
        Ok((!is_unfinished).then(|| Seen { since: clock::modified(&found), pin: Pin::Unknown }))
    }

    /// Lists the files in a generation, in the order of their names.
    fn list(&mut self, directory: &File, path: &Path) -> Result<(Vec<FileStatus>, Listing)> {
        let (mut files, mut listing) = (Vec::new(), Listing::Complete);
        let walk = Walk { step: Step::Read, root: path, access: Access::Inspect };
        walk.visit(directory, &mut |name, found| {
            match found {
                Found::File(_, found) => files.push(FileStatus::of(name, found)),
                Found::Closed => listing = Listing::Partial,
                Found::Directory(_) | Found::Other => {}
            }
            Ok(())
        })?;
        if listing == Listing::Partial {
            self.view = View::Reader;
        }
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok((files, listing))
    }

    fn path(&self, id: &Id) -> PathBuf {
        self.dir.parent.join(&self.dir.link.name(Role::Generation, id))
    }

    /// Says whether a generation bears the mark of a run that makes or removes it, which none does to what the link names.
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

/// Says whether an open directory has no name any more.
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
