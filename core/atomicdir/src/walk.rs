//! Visits the contents of a generation. Each entry is opened without following links.
//!
//! Its owner may have changed it in any way. So the walk does not recurse, and holds one descriptor for each level. It
//! does not go deeper than published files can be, and ends after a number of names. Entries
//! that it does not enter, or that vanish or change meanwhile, are reported as [`Other`](Found::Other).
//!
//! So a comparison finds a difference there, and a listing leaves it out. The owner can make a walk fail only by
//! removing permissions from the process that has to read.
//!
//! The filesystem decides the order. A directory is visited before its contents.

use std::ffi::CStr;
use std::fs::{File, Metadata};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, DirEntry, FileType, Mode, OFlags, Stat, openat, statat};
use rustix::io::Errno;

use crate::error::At;
use crate::file_name::DEPTH_MAX;
use crate::parent::DIRECTORY;
use crate::{Result, Step};

/// The maximum number of names to visit: more than those of any set that fits into memory.
const MOST: usize = 1 << 20;

/// Opens without blocking, so that no planted file can hang a run.
pub(crate) const READ: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// An entry of a generation.
pub(crate) enum Found<'a> {
    /// A directory, which is visited next.
    Directory(&'a Metadata),
    /// A regular file, open for reading.
    File(&'a File, &'a Metadata),
    /// A regular file that was only inspected.
    Inspected(&'a Stat),
    /// A directory that this user may not list.
    Closed,
    /// Anything else, too deep, or gone. It is never published, and is not entered.
    Other,
}

/// How files are visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Open for reading. An unreadable file is an error.
    Read,
    /// Only inspect. A directory that may not be listed is no error.
    Inspect,
}

/// One walk, with its step and its start for messages.
pub(crate) struct Walk<'a> {
    pub(crate) step: Step,
    pub(crate) root: &'a Path,
    pub(crate) access: Access,
}

/// The path of a name below a directory, which is only joined for a message.
pub(crate) struct Below<'a>(pub(crate) &'a Path, pub(crate) &'a str);

impl From<Below<'_>> for PathBuf {
    fn from(Below(root, name): Below<'_>) -> Self {
        root.join(name)
    }
}

/// The closure for each entry. Its name is relative to the generation.
pub(crate) type Visit<'a> = dyn FnMut(&str, Found<'_>) -> Result<()> + 'a;

/// A directory that is being listed.
struct Level {
    /// The number of directories between it and the top.
    depth: usize,
    listing: Dir,
    /// The prefix of the names in it.
    prefix: String,
}

impl Walk<'_> {
    /// Visits everything below a directory, but not the directory itself.
    ///
    /// # Errors
    ///
    /// The first error of the closure. Also an entry that exists, but cannot be opened or inspected.
    pub(crate) fn visit(&self, directory: &File, visit: &mut Visit<'_>) -> Result<()> {
        let top = Dir::read_from(directory).at(self.step, "list", self.root)?;
        let mut levels = vec![Level { depth: 0, listing: top, prefix: String::new() }];
        let mut visited = 0;
        while let Some(level) = levels.last_mut() {
            let Some(entry) = level.listing.read() else {
                levels.pop();
                continue;
            };
            let entry = entry.at(self.step, "list", self.path(&level.prefix))?;
            if matches!(entry.file_name().to_bytes(), b"." | b"..") {
                continue;
            }
            visited += 1;
            if visited > MOST {
                break;
            }
            let full = format!("{}{}", level.prefix, entry.file_name().to_string_lossy());
            let listing = self.entry(level, &entry, &full, visit)?;
            levels.extend(listing.map(|listing| Level { depth: levels.len(), listing, prefix: full + "/" }));
        }
        Ok(())
    }

    /// Visits one entry. If it is a directory, returns it to be visited next.
    fn entry(
        &self,
        level: &Level,
        entry: &DirEntry,
        full: &str,
        visit: &mut Visit<'_>,
    ) -> Result<Option<Dir>> {
        let above = level.listing.fd().at(self.step, "list", self.path(full))?;
        match self.kind(above, entry.file_name(), entry.file_type(), full)? {
            // We make no such name, and its lossy form could be the name of another file.
            _ if entry.file_name().to_str().is_err() => visit(full, Found::Other)?,
            FileType::Directory if level.depth + 1 == DEPTH_MAX => visit(full, Found::Other)?,
            FileType::Directory => return self.directory(above, entry.file_name(), full, visit),
            FileType::RegularFile => self.file(above, entry.file_name(), full, visit)?,
            _ => visit(full, Found::Other)?,
        }
        Ok(None)
    }

    /// Returns the type of an entry. On nearly every filesystem, the listing has it.
    fn kind(&self, above: impl AsFd, name: &CStr, kind: FileType, full: &str) -> Result<FileType> {
        if kind != FileType::Unknown {
            return Ok(kind);
        }
        let found =
            statat(above, name, AtFlags::SYMLINK_NOFOLLOW).at(self.step, "inspect", self.path(full))?;
        Ok(FileType::from_raw_mode(found.st_mode))
    }

    /// Visits a directory, and opens it to be listed: `None` if it cannot be opened.
    fn directory(
        &self,
        above: impl AsFd,
        name: &CStr,
        full: &str,
        visit: &mut Visit<'_>,
    ) -> Result<Option<Dir>> {
        let directory = match self.open(above, name, DIRECTORY, full) {
            Err(error) if self.access == Access::Inspect && error.is_denied() => {
                visit(full, Found::Closed)?;
                return Ok(None);
            }
            opened => opened?,
        };
        let Some(directory) = directory else {
            visit(full, Found::Other)?;
            return Ok(None);
        };
        let found = directory.metadata().at(self.step, "inspect", self.path(full))?;
        visit(full, Found::Directory(&found))?;
        Dir::new(directory).at(self.step, "list", self.path(full)).map(Some)
    }

    /// Visits a file. Its metadata is that of the open file, which may have been replaced since the listing.
    fn file(&self, above: impl AsFd, name: &CStr, full: &str, visit: &mut Visit<'_>) -> Result<()> {
        if self.access == Access::Inspect {
            return self.inspected(above, name, full, visit);
        }
        let Some(file) = self.open(above, name, READ, full)? else { return visit(full, Found::Other) };
        let found = file.metadata().at(self.step, "inspect", self.path(full))?;
        if found.is_file() { visit(full, Found::File(&file, &found)) } else { visit(full, Found::Other) }
    }

    /// Visits a file by one call, which needs no permission to read it.
    fn inspected(&self, above: impl AsFd, name: &CStr, full: &str, visit: &mut Visit<'_>) -> Result<()> {
        match statat(above, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => visit(full, Found::Other),
            found => {
                let found = found.at(self.step, "inspect", self.path(full))?;
                let is_file = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
                visit(full, if is_file { Found::Inspected(&found) } else { Found::Other })
            }
        }
    }

    /// Opens an entry: `None` if it was removed or replaced since the listing. Also if its owner has a lease on it,
    /// which opening without waiting cannot break.
    fn open(&self, above: impl AsFd, name: &CStr, flags: OFlags, full: &str) -> Result<Option<File>> {
        match openat(above, name, flags, Mode::empty()) {
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO | Errno::NOTDIR | Errno::AGAIN) => Ok(None),
            opened => opened.map(|opened| Some(File::from(opened))).at(self.step, "open", self.path(full)),
        }
    }

    /// Returns the path of a name, for messages.
    fn path<'a>(&'a self, name: &'a str) -> Below<'a> {
        Below(self.root, name)
    }
}
