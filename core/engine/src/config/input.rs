//! A file that a plan is made of: the configuration, or a template.
//!
//! It names programs to run and files to read. So a run as root refuses one that somebody else could edit or replace.
//!
//! A run may wait for another one between reading its plan and publishing. So each file is remembered as it was when it was
//! opened: if it has changed by then, the plan is made anew.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use atomicdir::Refusal;
use rustix::process::geteuid;

use crate::report::describe;

/// A file, as it was when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    path: PathBuf,
    /// None of what is no regular file, such as a pipe: it can be read once only.
    stamp: Option<Stamp>,
}

/// What tells a file from another, and from itself after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Why a file was not read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// Somebody else could change it, and root would do as it says.
    NotTrusted(String),
    Io(io::Error),
}

impl Input {
    /// Opens a file to be read, unless a run as root must not rely on it.
    pub(crate) fn open(path: &Path) -> Result<(File, Self), Unread> {
        if geteuid().is_root() {
            ensure_trusted(path)?;
        }
        let file = File::open(path).map_err(Unread::Io)?;
        let found = file.metadata().map_err(Unread::Io)?;
        Ok((file, Self { path: path.to_owned(), stamp: Stamp::of(&found) }))
    }

    /// Reads a file: at most so many bytes of it.
    pub(crate) fn read(path: &Path, most: u64) -> Result<(Vec<u8>, Self), Unread> {
        let (file, input) = Self::open(path)?;
        // With room for all of it, a long file is read in a few calls.
        let size = input.stamp.map_or(0, |stamp| stamp.size.min(most));
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        file.take(most).read_to_end(&mut bytes).map_err(Unread::Io)?;
        Ok((bytes, input))
    }

    /// Returns where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether it was a regular file, which has a folder of its own, and can be read again.
    pub(crate) fn is_regular(&self) -> bool {
        self.stamp.is_some()
    }

    /// Says whether it was written to after a date.
    pub(crate) fn is_newer_than(&self, date: SystemTime) -> bool {
        let written = std::fs::metadata(&self.path).and_then(|found| found.modified());
        written.is_ok_and(|written| written > date)
    }

    /// Returns whether another look finds another file, or one that has been written to.
    pub(crate) fn has_changed(&self) -> bool {
        let Some(stamp) = self.stamp else { return false };
        std::fs::metadata(&self.path).ok().and_then(|found| Stamp::of(&found)) != Some(stamp)
    }
}

fn ensure_trusted(path: &Path) -> Result<(), Unread> {
    atomicdir::ensure_irreplaceable(path).map_err(|error| match (error.refusal(), error.io_error()) {
        (_, Some(cause)) => {
            Unread::Io(cause.raw_os_error().map_or(cause.kind().into(), io::Error::from_raw_os_error))
        }
        (Some(Refusal::Replaceable(why)), None)
            if std::path::absolute(path).ok().as_deref() != Some(why.component()) =>
        {
            Unread::NotTrusted(format!("cannot rely on `{}`: {why}", why.component().display()))
        }
        (Some(why), None) => Unread::NotTrusted(why.to_string()),
        (None, None) => Unread::NotTrusted(describe(&error)),
    })
}

impl Stamp {
    fn of(found: &Metadata) -> Option<Self> {
        found.is_file().then(|| Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_is_written_to_or_replaced_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("x"), folder.path().join("y"));
        fs::write(&path, "one").unwrap();
        let read = || Input::read(&path, 99).unwrap().1;
        let input = read();
        assert!(!input.has_changed());
        fs::write(&path, "longer").unwrap();
        assert!(input.has_changed());
        let input = read();
        fs::write(&other, "longer").unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(input.has_changed());
        let input = read();
        fs::remove_file(&path).unwrap();
        assert!(input.has_changed());
        assert!(!Input::open(Path::new("/dev/null")).unwrap().1.has_changed());
    }
}
