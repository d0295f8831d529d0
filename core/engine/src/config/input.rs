//! A file that a plan is made of: the configuration, or a template.
//!
//! An input names programs to run and files to read. So a run as root refuses an input that another user could edit or
//! replace.
//!
//! A run may wait for another one between reading its plan and publishing. So the plan keeps the state that each file had
//! when it was opened. If a file has changed after the wait, the plan is made again.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use atomicdir::Refusal;
use rustix::process::geteuid;

use crate::report::describe;

/// A file, with its state when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    path: PathBuf,
    /// None if it is not a regular file. A pipe, for example, can be read only once.
    stamp: Option<Stamp>,
}

/// The attributes that identify a file and show whether it has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// The reason why a file was not read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// Another user could change it, and root would act on it.
    NotTrusted(String),
    Io(io::Error),
}

impl Input {
    /// Opens a file for reading. A run as root refuses an untrusted file.
    pub(crate) fn open(path: &Path) -> Result<(File, Self), Unread> {
        if geteuid().is_root() {
            ensure_trusted(path)?;
        }
        let file = File::open(path).map_err(Unread::Io)?;
        let found = file.metadata().map_err(Unread::Io)?;
        Ok((file, Self { path: path.to_owned(), stamp: Stamp::of(&found) }))
    }

    /// Reads at most `most` bytes of a file.
    pub(crate) fn read(path: &Path, most: u64) -> Result<(Vec<u8>, Self), Unread> {
        let (file, input) = Self::open(path)?;
        // With enough capacity, a long file is read in a few calls.
        let size = input.stamp.map_or(0, |stamp| stamp.size.min(most));
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        file.take(most).read_to_end(&mut bytes).map_err(Unread::Io)?;
        Ok((bytes, input))
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether it was a regular file. Such a file can be read again, and relative paths can start at its folder.
    pub(crate) fn is_regular(&self) -> bool {
        self.stamp.is_some()
    }

    /// Returns whether the file was modified after a date.
    pub(crate) fn is_newer_than(&self, date: SystemTime) -> bool {
        let written = std::fs::metadata(&self.path).and_then(|found| found.modified());
        written.is_ok_and(|written| written > date)
    }

    /// Returns whether the path now leads to another file, or the file has changed.
    pub(crate) fn has_changed(&self) -> bool {
        let Some(stamp) = self.stamp else { return false };
        std::fs::metadata(&self.path).ok().and_then(|found| Stamp::of(&found)) != Some(stamp)
    }
}

fn ensure_trusted(path: &Path) -> Result<(), Unread> {
    atomicdir::ensure_trusted(path).map_err(|error| match (error.refusal(), error.io_error()) {
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
