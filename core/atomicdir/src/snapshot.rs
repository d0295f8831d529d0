//! Step 12: reading one generation, and keeping it from being removed meanwhile.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, Mode, OFlags, openat, readlink};

use crate::error::At;
use crate::flock::Flock;
use crate::parent::DIRECTORY;
use crate::walk::READ;
use crate::{Error, FileName, Refusal, Result, Step};

/// How often to try anew when the link flips at the very moment of opening. A flip takes several system calls, so even
/// a publisher that does nothing else is outrun in a few attempts.
const ATTEMPTS: u32 = 1000;

/// How long to leave alone whoever has it locked: he removes it, and then the link names another by now; or he looks for
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
        let path = self.link.join(name.as_str());
        self.open_file(name)?.read_to_end(&mut bytes).at(Step::Read, "read", path)?;
        Ok(bytes)
    }

    /// Opens a file for reading.
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

/// Opens and pins what the link names.
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
