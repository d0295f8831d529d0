//! Step 12: reading one generation, and keeping it from being removed meanwhile.
//!
//! A reader opens the generation, takes a shared lock on it, and then looks whether the link still names it. If so, no run
//! can have begun to remove it before the lock was there: a run removes only what the link does not name, with an exclusive
//! lock. If not, it may be half gone already, and the reader begins anew.
//!
//! There are two ways in. [`Snapshot::open`] follows the link, as a program would that knows nothing of this crate; it
//! trusts whoever can write there. [`Options::open_snapshot`] believes nothing but what a publisher made: it
//! judges the path, the link and the generation, and opens no file.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, Mode, OFlags, openat, readlink};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::error::At;
use crate::flock::Flock;
use crate::generation::Generation;
use crate::names::Role;
use crate::parent::{DIRECTORY, Parent};
use crate::state::State;
use crate::trust::{self, Parents};
use crate::walk::READ;
use crate::{AtomicDir, Error, FileName, Id, Options, Refusal, Result, Step, options};

/// How often to try anew when the link flips at the very moment of opening. A flip takes several system calls, so even
/// a publisher that does nothing else is outrun in a few attempts.
const ATTEMPTS: u32 = 1000;

/// How long to leave alone whoever has it locked: they remove it, and then the link names another by now; or they look for
/// pins, and may have been put off the processor meanwhile.
const REST: Duration = Duration::from_millis(1);

/// One generation, opened and pinned: everything read through it belongs together, and stays until it is dropped.
///
/// Opening `link/a` and then `link/b` by path can see two generations. A snapshot opens the directory once and reads
/// relative to it. It holds a shared lock on the directory; whoever removes generations leaves it alone meanwhile. The
/// lock ends with the snapshot or with the process, however that ends. Needs permission to list the directory.
///
/// The lock is on the open directory, so a program that inherits its descriptor ([`AsFd`]) holds the pin too, until it closes
/// that or ends. Only dropping the snapshot ends the pin for both.
///
/// ```no_run
/// use atomicdir::{FileName, Snapshot};
///
/// let snapshot = Snapshot::open("/run/secretdir/app")?;
/// let certificate = snapshot.read(&FileName::new("tls/cert.pem")?)?;
/// let key = snapshot.read(&FileName::new("tls/key.pem")?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Snapshot {
    pin: Flock,
    link: PathBuf,
    path: PathBuf,
}

impl Snapshot {
    /// Opens the generation that the link names now, and pins it. Never waits for a publisher.
    ///
    /// # Errors
    ///
    /// There is no link, or no permission to list the directory; or it could not be pinned in 1,000 attempts, which take
    /// about a second, because somebody holds an exclusive lock on it: whoever may list it can.
    pub fn open(link: impl AsRef<Path>) -> Result<Self> {
        let link = link.as_ref();
        for _ in 0..ATTEMPTS {
            match pin(link)? {
                Attempt::Pinned(pin, path) => return Ok(Self { pin, link: link.to_owned(), path }),
                Attempt::Locked => std::thread::sleep(REST),
                Attempt::Late => std::thread::yield_now(),
            }
        }
        // A link that leads nowhere looks like one that flips all the time.
        std::fs::metadata(link).at(Step::Read, "open", link)?;
        Err(Error::refuse(Step::Read, "take a shared lock on", link, Refusal::NotPinned(ATTEMPTS)))
    }

    /// Returns the path of the generation's own directory: absolute, and through no symbolic link, so that it goes on to
    /// name this generation when the link has flipped. For programs that can only be given a path; what they open by it
    /// belongs together for as long as the pin is held.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a whole file.
    ///
    /// # Errors
    ///
    /// It is not there, not a regular file, or not readable.
    pub fn read(&self, name: &FileName) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_into(name, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads a whole file, and appends it to a buffer of the caller's: one that is wiped when it is dropped, for example.
    ///
    /// Room for all of it is made before anything is read. So a buffer does not grow while it holds bytes of the file, which
    /// would leave a copy behind, unless the file grows meanwhile. Returns how many bytes were read.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read). The buffer may hold a part of the file then.
    pub fn read_into(&self, name: &FileName, bytes: &mut Vec<u8>) -> Result<usize> {
        let path = || self.link.join(name.as_str());
        let mut file = self.open_file(name)?;
        let length = file.metadata().at(Step::Read, "inspect", path())?.len();
        // One byte more, for the read that finds the end.
        bytes.reserve_exact(usize::try_from(length).unwrap_or(usize::MAX).saturating_add(1));
        file.read_to_end(bytes).at(Step::Read, "read", path())
    }

    /// Opens a file for reading, through no symbolic link on the way.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn open_file(&self, name: &FileName) -> Result<File> {
        let path = self.link.join(name.as_str());
        let (directories, last) = name.split();
        let mut above = None;
        for directory in directories {
            let from = above.as_ref().unwrap_or(self.pin.file());
            let opened = openat(from, directory, DIRECTORY, Mode::empty());
            above = Some(File::from(opened.at(Step::Read, "open", &path)?));
        }
        let from = above.as_ref().unwrap_or(self.pin.file());
        openat(from, last, READ, Mode::empty()).map(File::from).at(Step::Read, "open", path)
    }
}

impl Options {
    /// Opens and pins what is published at a link, if it is what a publisher made, and opens no file of it: what it costs does not
    /// depend on how much is published. `None` if nothing is published there. Of the options only
    /// [`parents`](Self::parents) matters, and the owner of the [`directory`](Self::directory).
    ///
    /// For whoever is about to let another program rely on what is published. Ensured is:
    ///
    /// - If root runs this and the parents are [`Strict`](Parents::Strict): nobody else can replace the directories that lead
    ///   to the link. Anyone else may read in a place of somebody else's.
    /// - The link is exactly one of ours. Where others than its owner can put names into its directory, it belongs to root, to
    ///   that owner, or to who runs this; and so does the generation.
    /// - The generation is a directory of its own, and nothing is mounted on it. If there is a record of it that this user may
    ///   read, it is that of this directory.
    /// - It is pinned, and the link named it once it was.
    ///
    /// Not ensured: what is in it. Its owner may have changed that.
    ///
    /// # Errors
    ///
    /// What breaks one of these rules; a link whose generation is gone, which is [not found](Error::is_not_found); no permission to
    /// list the generation; and [`Refusal::NotPinned`] as for [`Snapshot::open`].
    pub fn open_snapshot(self, link: impl AsRef<Path>) -> Result<Option<Snapshot>> {
        let link = link.as_ref();
        let (parent, name) = options::split(link)?;
        if self.parents == Parents::Strict && geteuid().is_root() {
            match trust::ensure_irreplaceable(&parent) {
                // Where a directory is missing, nothing is published.
                Err(error) if error.is_not_found() => return Ok(None),
                judged => judged?,
            }
        }
        match Parent::open_to_look(parent, self.parents)? {
            Some(parent) => self.with(parent, name).snapshot(link),
            None => Ok(None),
        }
    }
}

impl AtomicDir {
    /// Opens and pins what the link names, again and again while it flips.
    fn snapshot(&self, link: &Path) -> Result<Option<Snapshot>> {
        for _ in 0..ATTEMPTS {
            let Some(id) = self.read_link()? else { return Ok(None) };
            match self.pin(&id)? {
                Attempt::Pinned(pin, path) => return Ok(Some(Snapshot { pin, link: link.to_owned(), path })),
                Attempt::Locked => std::thread::sleep(REST),
                Attempt::Late => std::thread::yield_now(),
            }
        }
        Err(Error::refuse(Step::Read, "take a shared lock on", link, Refusal::NotPinned(ATTEMPTS)))
    }

    /// Opens and pins a generation that the link named a moment ago.
    fn pin(&self, id: &Id) -> Result<Attempt> {
        let name = self.link.name(Role::Generation, id);
        let Some(Generation { directory, found }) = Generation::open(self, Step::Read, id)? else {
            // No ID is used twice: if the link names it still, it is not late, but gone.
            return match self.read_link()? {
                Some(named) if named == *id => Err(Errno::NOENT).at(Step::Read, "open", self.path()),
                _ => Ok(Attempt::Late),
            };
        };
        let Some(pin) = Flock::shared(directory).at(Step::Read, "pin", self.generation_path(id))? else {
            return Ok(Attempt::Locked);
        };
        if self.read_link()?.as_ref() != Some(id) {
            return Ok(Attempt::Late);
        }
        self.ensure_recorded(id, found.ino())?;
        Ok(Attempt::Pinned(pin, self.parent.own_path(Step::Read)?.join(name)))
    }

    /// Ensures that the record of a generation is of this directory. A reader may not see records; and a set whose record is
    /// lost, because somebody removed the state directory, can still be read.
    fn ensure_recorded(&self, id: &Id, inode: u64) -> Result<()> {
        let state = match State::open(self, Step::Read) {
            Err(error) if error.is_denied() => None,
            opened => opened?,
        };
        let recorded = state.map_or(Ok(None), |state| state.recorded(Step::Read, id))?;
        if recorded.is_some_and(|recorded| recorded != inode) {
            return Err(Error::refuse(Step::Read, "trust", self.generation_path(id), Refusal::Swapped));
        }
        Ok(())
    }
}

impl AsFd for Snapshot {
    /// Returns the generation's directory, to open files relative to.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pin.file().as_fd()
    }
}

/// How an attempt to pin ended.
enum Attempt {
    /// It is pinned, and this is its own path.
    Pinned(Flock, PathBuf),
    /// Somebody has an exclusive lock on it.
    Locked,
    /// The link flipped meanwhile.
    Late,
}

/// Opens and pins what the link names, and looks whether it still does.
fn pin(link: &Path) -> Result<Attempt> {
    let Some(directory) = unless_gone(link, open(link).map_err(io::Error::from), "open")? else {
        return Ok(Attempt::Late);
    };
    let Some(pin) = Flock::shared(directory).at(Step::Read, "pin", link)? else { return Ok(Attempt::Locked) };
    let pinned = pin.file().metadata().at(Step::Read, "inspect", link)?;
    let named = unless_gone(link, named(link), "inspect")?;
    Ok(match named {
        Some((path, named)) if (pinned.dev(), pinned.ino()) == (named.dev(), named.ino()) => {
            Attempt::Pinned(pin, path)
        }
        _ => Attempt::Late,
    })
}

/// Returns the directory that the link names, by a path without links, and what is there. No generation's name is ever
/// used again: the directory that is found at that path is the one that the link named.
fn named(link: &Path) -> io::Result<(PathBuf, Metadata)> {
    let path = std::fs::canonicalize(link)?;
    let found = std::fs::symlink_metadata(&path)?;
    Ok((path, found))
}

/// Turns "not found" into `None` where the link is there: between the kernel's following it and its looking at the
/// target, both the flip and the removal went by.
fn unless_gone<T>(link: &Path, looked: io::Result<T>, action: &'static str) -> Result<Option<T>> {
    match looked {
        Err(error) if error.kind() == io::ErrorKind::NotFound && readlink(link, Vec::new()).is_ok() => {
            Ok(None)
        }
        looked => looked.at(Step::Read, action, link).map(Some),
    }
}

/// Follows the link, which is what a reader's link is for.
fn open(link: &Path) -> rustix::io::Result<File> {
    openat(CWD, link, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).map(File::from)
}
