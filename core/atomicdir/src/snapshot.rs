//! Step 12: reads one generation, and keeps it from being removed meanwhile.
//!
//! A reader opens the generation, takes a shared lock on it, and then checks that the link still names it. If so, no
//! removal can have started before the lock: a run only removes generations that the link does not name, under an
//! exclusive lock. If not, the generation may be partly removed, and the reader starts again.
//!
//! There are two ways to open a snapshot. [`Snapshot::open`] follows the link like any program that does not know this
//! crate. It trusts everyone who can write there. [`Options::open_snapshot`] accepts only what a publisher made. It
//! checks the path, the link and the generation, and opens no file.

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

/// The maximum number of attempts if the link flips during the opening. A flip takes several system calls. So a few
/// attempts are enough, even if a publisher does nothing but flip.
const ATTEMPTS: u32 = 1000;

/// The pause when another process has locked the generation. Either it removes the generation, and the link names
/// another one by now. Or it checks for pins, and the scheduler may have paused it meanwhile.
const BACKOFF: Duration = Duration::from_millis(1);

/// One generation, opened and pinned. All files read through it belong together, and stay until it is dropped.
///
/// Opening `link/a` and then `link/b` by path can see two generations. A snapshot opens the directory once and reads
/// relative to it. It holds a shared lock on the directory, so no run removes it meanwhile. The lock ends with the
/// snapshot or with the process, however that ends. Opening needs permission to list the directory.
///
/// The lock is on the open directory. So a program that inherits its descriptor ([`AsFd`]) also holds the pin, until it
/// closes the descriptor or exits. Only dropping the snapshot ends the pin for both.
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
    /// Opens the generation that the link names now, and pins it. It never waits for a publisher.
    ///
    /// # Errors
    ///
    /// There is no link, or no permission to list the directory. Or it could not be pinned in 1,000 attempts, which
    /// take about a second, because another process holds an exclusive lock on it. Any process that may list the
    /// directory can take that lock.
    pub fn open(link: impl AsRef<Path>) -> Result<Self> {
        let link = link.as_ref();
        for _ in 0..ATTEMPTS {
            match pin(link)? {
                Attempt::Pinned(pin, path) => return Ok(Self { pin, link: link.to_owned(), path }),
                Attempt::Locked => std::thread::sleep(BACKOFF),
                Attempt::Late => std::thread::yield_now(),
            }
        }
        // A dangling link looks like one that flips all the time.
        std::fs::metadata(link).at(Step::Read, "open", link)?;
        Err(Error::refuse(Step::Read, "take a shared lock on", link, Refusal::NotPinned(ATTEMPTS)))
    }

    /// Returns the path of the generation's own directory. It is absolute and has no symbolic links, so it still names
    /// this generation after a flip. Use it for programs that can only take a path. The files that they open there
    /// belong together while the pin is held.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a whole file.
    ///
    /// # Errors
    ///
    /// The file is missing, is not a regular file, or is not readable.
    pub fn read(&self, name: &FileName) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_into(name, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads a whole file and appends it to your buffer, for example one that is wiped on drop. Returns the number of
    /// bytes.
    ///
    /// The buffer is enlarged before anything is read. So it need not grow while it holds bytes of the file, which
    /// would leave a copy in memory. It may still grow if the file grows meanwhile.
    ///
    /// # Errors
    ///
    /// The same as those of [`read`](Self::read). The buffer may then hold a part of the file.
    pub fn read_into(&self, name: &FileName, bytes: &mut Vec<u8>) -> Result<usize> {
        let path = || self.link.join(name.as_str());
        let mut file = self.open_file(name)?;
        let length = file.metadata().at(Step::Read, "inspect", path())?.len();
        // One byte more, for the read that finds the end of the file.
        bytes.reserve_exact(usize::try_from(length).unwrap_or(usize::MAX).saturating_add(1));
        file.read_to_end(bytes).at(Step::Read, "read", path())
    }

    /// Opens a file for reading, without following symbolic links.
    ///
    /// # Errors
    ///
    /// The same as those of [`read`](Self::read).
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
    /// Opens and pins the generation that is published at a link, if a publisher made it. It opens no file, so its cost
    /// does not depend on the number of files. `None` if nothing is published. Only two options matter:
    /// [`parents`](Self::parents), and the owner of the [`directory`](Self::directory).
    ///
    /// Use it before you let another program rely on what is published. These are the guarantees:
    ///
    /// - If root runs this and the parents are [`Strict`](Parents::Strict), no other user can replace the directories
    ///   that lead to the link. For other users these are not checked, because they may read from the directories of
    ///   others.
    /// - The link is exactly one of ours. If others than the owner of its directory can put names there, the link
    ///   belongs to root, to that owner, or to the current user. So does the generation.
    /// - The generation is a directory and not a mount point. If this user may read its record, the record matches the
    ///   directory.
    /// - The generation is pinned, and the link named it after that.
    ///
    /// The contents are not checked. The owner of the generation may have changed them.
    ///
    /// # Errors
    ///
    /// A violation of these rules. A link whose generation is gone, which is [not found](Error::is_not_found). No
    /// permission to list the generation. [`Refusal::NotPinned`] as for [`Snapshot::open`].
    pub fn open_snapshot(self, link: impl AsRef<Path>) -> Result<Option<Snapshot>> {
        let link = link.as_ref();
        let (parent, name) = options::split(link)?;
        if self.parents == Parents::Strict && geteuid().is_root() {
            match trust::ensure_trusted(&parent) {
                // If a directory is missing, nothing is published.
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
    /// Opens and pins the generation that the link names. It tries again while the link flips.
    fn snapshot(&self, link: &Path) -> Result<Option<Snapshot>> {
        for _ in 0..ATTEMPTS {
            let Some(id) = self.read_link()? else { return Ok(None) };
            match self.pin(&id)? {
                Attempt::Pinned(pin, path) => return Ok(Some(Snapshot { pin, link: link.to_owned(), path })),
                Attempt::Locked => std::thread::sleep(BACKOFF),
                Attempt::Late => std::thread::yield_now(),
            }
        }
        Err(Error::refuse(Step::Read, "take a shared lock on", link, Refusal::NotPinned(ATTEMPTS)))
    }

    /// Opens and pins a generation that the link named a moment ago.
    fn pin(&self, id: &Id) -> Result<Attempt> {
        let name = self.link.name(Role::Generation, id);
        let Some(Generation { directory, found }) = Generation::open(self, Step::Read, id)? else {
            // No ID is used twice. So if the link still names it, it has not flipped: the generation is gone.
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

    /// Checks that the record of a generation, if there is one, matches this directory. A reader may not be able to see
    /// records. A set whose record is lost, because the state directory was removed, can still be read.
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
    /// Returns the generation's directory. Open files relative to it.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pin.file().as_fd()
    }
}

/// The result of an attempt to pin.
enum Attempt {
    /// It is pinned. The path is that of the generation itself.
    Pinned(Flock, PathBuf),
    /// Another process has an exclusive lock on it.
    Locked,
    /// The link flipped meanwhile.
    Late,
}

/// Opens and pins the directory that the link names, and checks that the link still names it.
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

/// Returns the directory that the link names, as a path without links, and its metadata. The name of a generation is
/// never used again. So the directory at that path is the one that the link named.
fn named(link: &Path) -> io::Result<(PathBuf, Metadata)> {
    let path = std::fs::canonicalize(link)?;
    let found = std::fs::symlink_metadata(&path)?;
    Ok((path, found))
}

/// Turns "not found" into `None` if the link exists. The generation was removed between the moments at which the kernel
/// read the link and looked up its target.
fn unless_gone<T>(link: &Path, looked: io::Result<T>, action: &'static str) -> Result<Option<T>> {
    match looked {
        Err(error) if error.kind() == io::ErrorKind::NotFound && readlink(link, Vec::new()).is_ok() => {
            Ok(None)
        }
        looked => looked.at(Step::Read, action, link).map(Some),
    }
}

/// Follows the link, as every reader does.
fn open(link: &Path) -> rustix::io::Result<File> {
    openat(CWD, link, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).map(File::from)
}
