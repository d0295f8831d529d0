//! One walk through the files below a root.
//!
//! Each directory is opened in the one that it was found in, by its descriptor and never through a link: no rename can lead
//! elsewhere, and there are no circles. The directory that the prefix spells is opened like a file of that name, so it may
//! be behind links that stay below the root. What begins with a dot is left out, as a shell's `*` does, unless the prefix
//! spells the dot.
//!
//! Directories are gone through depth first, so that no more descriptors are held than there are components in a name.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Stat, fstat, statat};
use rustix::io::Errno;
use secretdir_provider::SourceError;

use super::{MOST_COMPONENTS, MOST_ENTRIES, entries};
use crate::beneath::{self, Refusal, Root};
use crate::error::{self, FileFault, Place};
use crate::turn::let_others_run;

/// What a walk has seen.
#[derive(Default, PartialEq)]
pub(super) struct Seen {
    pub(super) names: BTreeSet<String>,
    pub(super) warnings: BTreeSet<String>,
    /// By path, each link that leads nowhere, round in a circle or out of the root.
    pub(super) broken_links: BTreeMap<String, Refusal>,
    /// By path, each directory as it was before it was read.
    directories: BTreeMap<String, Look>,
}

/// Why a walk did not come to its end.
pub(super) enum Stop {
    /// Something went away that had just been there.
    Changed,
    Failed(SourceError),
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Self::Failed(error)
    }
}

/// What tells one directory from another, and that it has changed.
#[derive(PartialEq)]
struct Look {
    identity: (i128, i128),
    links: i128,
    modified: (i128, i128),
    changed: (i128, i128),
}

impl Look {
    fn at(directory: &OwnedFd) -> Result<Self, Errno> {
        let stat: Stat = fstat(directory)?;
        Ok(Self {
            identity: (stat.st_dev.into(), stat.st_ino.into()),
            links: stat.st_nlink.into(),
            modified: (stat.st_mtime.into(), stat.st_mtime_nsec.into()),
            changed: (stat.st_ctime.into(), stat.st_ctime_nsec.into()),
        })
    }
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

/// A walk under way.
pub(super) struct Walk<'a> {
    root: &'a Path,
    top: &'a Root,
    seen: Seen,
    /// How many files and directories were found, those that cannot be listed included.
    count: usize,
    ahead: Vec<Ahead>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(root: &'a Path, top: &'a Root) -> Self {
        Self { root, top, seen: Seen::default(), count: 0, ahead: Vec::new() }
    }

    /// Returns what there is whose name begins with a prefix.
    pub(super) async fn below(mut self, prefix: &str) -> Result<Seen, Stop> {
        let (folder, beginning) = prefix.split_at(prefix.rfind('/').map_or(0, |slash| slash + 1));
        if let Some(directory) = self.open(folder)? {
            self.read(&directory, beginning)?;
        }
        while let Some(ahead) = self.ahead.pop() {
            let_others_run().await;
            let directory = self.enter(ahead)?;
            self.read(&directory, "")?;
        }
        Ok(self.seen)
    }

    /// Opens the directory that the prefix spells; none if there is no such directory.
    fn open(&self, folder: &str) -> Result<Option<Directory>, Stop> {
        // The dot makes the name that of a directory, and of nothing else.
        match beneath::open(self.top.as_fd(), &format!("{folder}.")) {
            Ok(opened) => Ok(Some(Directory { descriptor: Arc::new(opened), path: folder.to_owned() })),
            Err(Refusal::Absent) => Ok(None),
            Err(refusal) => Err(error::of_listing(Place::of_directory(self.root, folder), refusal).into()),
        }
    }

    /// Opens a directory that has been seen.
    fn enter(&self, ahead: Ahead) -> Result<Directory, Stop> {
        let Ahead { parent, name, path } = ahead;
        match beneath::enter(parent.as_fd(), &name) {
            Ok(opened) => Ok(Directory { descriptor: Arc::new(opened), path }),
            // What a link gives, that it has become, depends on the system.
            Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => Err(Stop::Changed),
            Err(errno) => Err(self.failed(&path, errno)),
        }
    }

    /// Takes what a directory holds whose names have this beginning.
    fn read(&mut self, directory: &Directory, beginning: &str) -> Result<(), Stop> {
        let Directory { descriptor, path } = directory;
        if path.matches('/').count() >= MOST_COMPONENTS {
            return Err(error::too_deep(Place::of_directory(self.root, path)).into());
        }
        let look = Look::at(descriptor).map_err(|errno| self.failed(path, errno))?;
        self.seen.directories.insert(path.clone(), look);
        let root = self.root;
        let failed = |errno| failed(root, path, errno);
        entries::each(descriptor.as_fd(), failed, |name, file_type| {
            if !is_wanted(name, beginning) {
                return Ok(());
            }
            let file_type = known(file_type, directory, name).map_err(failed)?;
            self.take(directory, name, file_type)
        })
    }

    fn take(&mut self, directory: &Directory, name: &CStr, file_type: FileType) -> Result<(), Stop> {
        let Ok(text) = name.to_str() else { return self.warn(directory, name) };
        let path = format!("{}{text}", directory.path);
        match file_type {
            FileType::RegularFile => self.add(path),
            FileType::Symlink if self.leads_to_file(&path)? => self.add(path),
            FileType::Directory => {
                self.count()?;
                let parent = Arc::clone(&directory.descriptor);
                self.ahead.push(Ahead { parent, name: name.to_owned(), path: format!("{path}/") });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Says whether a link leads to a regular file, as a fetch would find it.
    ///
    /// A link that leads nowhere, round in a circle or out of the root is noted. It may name a secret, and a listing without that
    /// one would be a part that is taken for all. But it may also be in the course of being replaced: the next walk tells.
    fn leads_to_file(&mut self, path: &str) -> Result<bool, Stop> {
        let refusal = match beneath::open(self.top.as_fd(), path) {
            Ok(opened) => return is_regular(&opened).map_err(|errno| self.failed(path, errno)),
            Err(refusal) => refusal,
        };
        match refusal {
            Refusal::Absent => Err(Stop::Changed),
            Refusal::LeadsNowhere | Refusal::System(Errno::LOOP | Errno::XDEV) => {
                self.seen.broken_links.insert(path.to_owned(), refusal);
                Ok(false)
            }
            // So says the system of a socket, and of a device that has no driver.
            Refusal::System(Errno::NXIO | Errno::NODEV | Errno::OPNOTSUPP) => Ok(false),
            _ => {
                let place = Place::of_directory(self.root, path);
                Err(error::of_file(place, FileFault::Open(refusal)).into())
            }
        }
    }

    fn add(&mut self, name: String) -> Result<(), Stop> {
        self.count()?;
        self.seen.names.insert(name);
        Ok(())
    }

    /// Warns of what nobody can ask for. `Debug` writes the bytes that are no text as escapes.
    fn warn(&mut self, directory: &Directory, name: &CStr) -> Result<(), Stop> {
        self.count()?;
        let path = [directory.path.as_bytes(), name.to_bytes()].concat();
        let (path, root) = (OsStr::from_bytes(&path), self.root);
        let told = format!("the name {path:?} below {root:?} is not UTF-8: it is not listed");
        self.seen.warnings.insert(told);
        Ok(())
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.count += 1;
        if self.count > MOST_ENTRIES { Err(error::too_many(self.root).into()) } else { Ok(()) }
    }

    fn failed(&self, path: &str, errno: Errno) -> Stop {
        failed(self.root, path, errno)
    }
}

/// Says what it means that a directory, which was there, cannot be gone through.
fn failed(root: &Path, path: &str, errno: Errno) -> Stop {
    match errno {
        Errno::NOENT => Stop::Changed,
        _ => Stop::Failed(error::of_listing(Place::of_directory(root, path), errno.into())),
    }
}

fn is_regular(opened: &OwnedFd) -> Result<bool, Errno> {
    let stat = fstat(opened)?;
    Ok(FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
}

/// Says whether an entry of a directory can be part of a name that has this beginning.
fn is_wanted(name: &CStr, beginning: &str) -> bool {
    let name = name.to_bytes();
    let is_hidden = name.starts_with(b".") && !beginning.starts_with('.');
    !is_hidden && name.starts_with(beginning.as_bytes()) && name != b"." && name != b".."
}

/// Returns what an entry is. Not every file system says so in the directory itself.
fn known(file_type: FileType, directory: &Directory, name: &CStr) -> Result<FileType, Errno> {
    match file_type {
        FileType::Unknown => {
            let stat = statat(&directory.descriptor, name, AtFlags::SYMLINK_NOFOLLOW)?;
            Ok(FileType::from_raw_mode(stat.st_mode))
        }
        known => Ok(known),
    }
}
