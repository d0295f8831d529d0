//! Visits what a generation holds, depth first, each thing opened without following links.

use std::ffi::CStr;
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};
use rustix::io::Errno;

use crate::error::At;
use crate::parent::DIRECTORY;
use crate::{Result, Step};

/// Opened without blocking, so that whatever was planted cannot hang a run.
pub(crate) const READ: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// Something that a generation holds.
pub(crate) enum Found<'a> {
    Directory(&'a Metadata),
    File(&'a File, &'a Metadata),
    /// Neither: we never make one.
    Other,
}

/// One walk: for messages, what step it belongs to and where it began.
pub(crate) struct Walk<'a> {
    pub(crate) step: Step,
    pub(crate) root: &'a Path,
}

/// What is called for everything found: with its name, relative to the generation.
pub(crate) type Visit<'a> = dyn FnMut(&str, Found<'_>) -> Result<()> + 'a;

impl Walk<'_> {
    /// Visits everything below a directory, but not the directory itself.
    pub(crate) fn visit(&self, directory: &File, visit: &mut Visit<'_>) -> Result<()> {
        self.below(directory, "", visit)
    }

    fn below(&self, directory: &File, prefix: &str, visit: &mut Visit<'_>) -> Result<()> {
        let path = || self.path(prefix);
        for entry in Dir::read_from(directory).at(self.step, "list", path())? {
            let entry = entry.at(self.step, "list", path())?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let full = format!("{prefix}{}", name.to_string_lossy());
            match self.kind(directory, name, entry.file_type(), &full)? {
                FileType::Directory => self.directory(directory, name, &full, visit)?,
                FileType::RegularFile => self.file(directory, name, &full, visit)?,
                _ => visit(&full, Found::Other)?,
            }
        }
        Ok(())
    }

    fn kind(&self, above: &File, name: &CStr, kind: FileType, full: &str) -> Result<FileType> {
        if kind != FileType::Unknown {
            return Ok(kind);
        }
        let found =
            statat(above, name, AtFlags::SYMLINK_NOFOLLOW).at(self.step, "inspect", self.path(full))?;
        Ok(FileType::from_raw_mode(found.st_mode))
    }

    fn directory(&self, above: &File, name: &CStr, full: &str, visit: &mut Visit<'_>) -> Result<()> {
        let opened = openat(above, name, DIRECTORY, Mode::empty());
        let directory = File::from(opened.at(self.step, "open", self.path(full))?);
        let found = directory.metadata().at(self.step, "inspect", self.path(full))?;
        visit(full, Found::Directory(&found))?;
        self.below(&directory, &format!("{full}/"), visit)
    }

    fn file(&self, above: &File, name: &CStr, full: &str, visit: &mut Visit<'_>) -> Result<()> {
        let file = match openat(above, name, READ, Mode::empty()) {
            // It was replaced since it was listed.
            Err(Errno::LOOP | Errno::NXIO) => return visit(full, Found::Other),
            opened => File::from(opened.at(self.step, "open", self.path(full))?),
        };
        let found = file.metadata().at(self.step, "inspect", self.path(full))?;
        if found.is_file() { visit(full, Found::File(&file, &found)) } else { visit(full, Found::Other) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}
