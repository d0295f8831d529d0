//! Lists the files below a root.
//!
//! Each directory is opened in the one that it was found in, by its descriptor and never through a link: no rename can lead
//! elsewhere, and there are no circles. The directory that the prefix spells is opened like a file of that name, so it may
//! be behind links that stay below the root. What begins with a dot is left out, as a shell's `*` does, unless the prefix
//! spells the dot.
//!
//! Directories are gone through depth first, so that no more descriptors are held than there are components in a name.

#[cfg(test)]
mod tests;

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, DirEntry, FileType, fstat, statat};
use rustix::io::Errno;
use secretdir_provider::{FetchContext, SourceError};

use crate::beneath;
use crate::error::{self, FileFault, Place};
use crate::turn::let_others_run;

/// How many components a name may have that is listed.
pub(crate) const MOST_COMPONENTS: usize = 64;

/// How many files are listed: a root that was set by mistake is noticed rather than read to the end.
pub(crate) const MOST_FILES: usize = 10_000;

/// A listing in the making.
pub(crate) struct Listing<'a> {
    root: &'a Path,
    top: BorrowedFd<'a>,
    context: &'a FetchContext,
    names: Vec<String>,
    /// How many files were found, those that cannot be listed included.
    count: usize,
    ahead: Vec<Ahead>,
}

/// A directory that is open.
struct Directory {
    descriptor: Arc<OwnedFd>,
    /// Its path below the root, with a `/` at the end; empty for the root itself.
    path: String,
}

/// A directory that has been seen.
struct Ahead {
    parent: Arc<OwnedFd>,
    name: CString,
    path: String,
}

impl<'a> Listing<'a> {
    pub(crate) fn new(root: &'a Path, top: BorrowedFd<'a>, context: &'a FetchContext) -> Self {
        Self { root, top, context, names: Vec::new(), count: 0, ahead: Vec::new() }
    }

    /// Returns the names that begin with a prefix, in their order.
    pub(crate) async fn below(mut self, prefix: &str) -> Result<Vec<String>, SourceError> {
        let (folder, beginning) = prefix.split_at(prefix.rfind('/').map_or(0, |slash| slash + 1));
        if let Some(directory) = self.open(folder)? {
            self.read(&directory, beginning)?;
        }
        while let Some(ahead) = self.ahead.pop() {
            let_others_run().await;
            if let Some(directory) = self.enter(ahead)? {
                self.read(&directory, "")?;
            }
        }
        self.names.sort_unstable();
        Ok(self.names)
    }

    /// Opens the directory that the prefix spells; none if there is no such directory.
    fn open(&self, folder: &str) -> Result<Option<Directory>, SourceError> {
        // The dot makes the name that of a directory, and of nothing else.
        match beneath::open(self.top, &format!("{folder}.")) {
            Ok(opened) => Ok(Some(Directory { descriptor: Arc::new(opened), path: folder.to_owned() })),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(errno) => Err(error::of_listing(self.place(folder), errno)),
        }
    }

    /// Opens a directory that has been seen; none if it is gone, or something else by now.
    fn enter(&self, ahead: Ahead) -> Result<Option<Directory>, SourceError> {
        let Ahead { parent, name, path } = ahead;
        match beneath::enter(parent.as_fd(), &name) {
            Ok(opened) => Ok(Some(Directory { descriptor: Arc::new(opened), path })),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => Ok(None),
            Err(errno) => Err(error::of_listing(self.place(&path), errno)),
        }
    }

    /// Takes what a directory holds whose names have this beginning.
    fn read(&mut self, directory: &Directory, beginning: &str) -> Result<(), SourceError> {
        let root = self.root;
        let failed = |errno| error::of_listing(Place::of_directory(root, &directory.path), errno);
        if directory.path.matches('/').count() >= MOST_COMPONENTS {
            return Err(error::too_deep(self.place(&directory.path)));
        }
        for entry in Dir::read_from(&directory.descriptor).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if is_wanted(entry.file_name(), beginning) {
                let file_type = type_of(&entry, directory).map_err(failed)?;
                self.take(directory, entry.file_name(), file_type)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, directory: &Directory, name: &CStr, file_type: FileType) -> Result<(), SourceError> {
        let Ok(text) = name.to_str() else { return self.warn(directory, name) };
        let path = format!("{}{text}", directory.path);
        match file_type {
            FileType::RegularFile => self.add(path),
            FileType::Symlink if self.leads_to_file(&path)? => self.add(path),
            FileType::Directory => {
                let parent = Arc::clone(&directory.descriptor);
                self.ahead.push(Ahead { parent, name: name.to_owned(), path: format!("{path}/") });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Says whether a link stays below the root and leads to a regular file, as a fetch would find it.
    fn leads_to_file(&self, path: &str) -> Result<bool, SourceError> {
        match beneath::open(self.top, path).and_then(fstat) {
            Ok(stat) => Ok(FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(false),
            Err(Errno::XDEV) => {
                let place = self.place(path);
                self.context
                    .warn(format!("the symbolic link {place} leads out of the root: it is not listed"));
                Ok(false)
            }
            // So says the system of a socket, and of a device that has no driver.
            Err(Errno::NXIO | Errno::NODEV | Errno::OPNOTSUPP) => Ok(false),
            Err(errno) => Err(error::of_file(self.place(path), FileFault::Open(errno))),
        }
    }

    fn add(&mut self, name: String) -> Result<(), SourceError> {
        self.count()?;
        self.names.push(name);
        Ok(())
    }

    /// Warns of what nobody can ask for. `Debug` writes the bytes that are no text as escapes.
    fn warn(&mut self, directory: &Directory, name: &CStr) -> Result<(), SourceError> {
        self.count()?;
        let path = [directory.path.as_bytes(), name.to_bytes()].concat();
        let (path, root) = (OsStr::from_bytes(&path), self.root);
        self.context.warn(format!("the name {path:?} below {root:?} is not UTF-8: it is not listed"));
        Ok(())
    }

    fn count(&mut self) -> Result<(), SourceError> {
        self.count += 1;
        if self.count > MOST_FILES { Err(error::too_many(self.root)) } else { Ok(()) }
    }

    fn place<'p>(&'p self, path: &'p str) -> Place<'p> {
        Place::of_directory(self.root, path)
    }
}

/// Says whether an entry of a directory can be part of a name that has this beginning.
fn is_wanted(name: &CStr, beginning: &str) -> bool {
    let name = name.to_bytes();
    let is_hidden = name.starts_with(b".") && !beginning.starts_with('.');
    !is_hidden && name.starts_with(beginning.as_bytes()) && name != b"." && name != b".."
}

/// Returns what an entry is. Not every file system says so in the directory itself.
fn type_of(entry: &DirEntry, directory: &Directory) -> Result<FileType, Errno> {
    match entry.file_type() {
        FileType::Unknown => {
            match statat(&directory.descriptor, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => Ok(FileType::from_raw_mode(stat.st_mode)),
                Err(Errno::NOENT) => Ok(FileType::Unknown),
                Err(errno) => Err(errno),
            }
        }
        known => Ok(known),
    }
}
