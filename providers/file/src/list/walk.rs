//! One walk through the files below a root.
//!
//! Each directory is opened by its descriptor in the directory that contains it, so that no rename can lead elsewhere.
//! A directory behind a link is opened like a file, by its path from the root, so that it stays below the root. The
//! same holds for the directory that the prefix spells. A link to a directory that the walk is in is not entered, so
//! there are no circles.
//!
//! Names that begin with a dot are left out, as by a shell's `*`, unless the prefix spells the dot. Everything that is
//! left out is reported, except names with two dots, which belong to the kubelet.
//!
//! The walk goes depth first, so it holds no more descriptors than a name has components.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, fstat, statat};
use rustix::io::Errno;
use secretdir_provider::SourceError;

use super::directory_state::{DirectoryState, Identity};
use super::{MOST_COMPONENTS, MOST_ENTRIES, entries};
use crate::beneath::{self, Refusal, Root};
use crate::error::{self, FileFault, Location};
use crate::yield_now::yield_now;

/// The results of a walk.
#[derive(Default, PartialEq)]
pub(super) struct Seen {
    pub(super) names: BTreeSet<String>,
    pub(super) warnings: BTreeSet<String>,
    /// The paths that begin with a dot.
    pub(super) hidden: BTreeSet<String>,
    /// The links that lead nowhere, in a circle or out of the root, by path.
    pub(super) broken_links: BTreeMap<String, Refusal>,
    /// The state of each directory before it was read, by path.
    directories: BTreeMap<String, DirectoryState>,
}

/// The reason why a walk ended early.
pub(super) enum Stop {
    /// A file or directory that the walk had seen is gone.
    Changed,
    Failed(SourceError),
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Self::Failed(error)
    }
}

/// An open directory.
struct Directory {
    descriptor: Arc<OwnedFd>,
    /// Its path below the root, with a `/` at the end. The path of the root itself is empty.
    path: String,
    way: Option<Arc<Way>>,
}

/// The directories that the walk is in, the innermost first.
struct Way {
    identity: Identity,
    outer: Option<Arc<Way>>,
}

/// A directory that has been seen, and not yet been entered.
struct Ahead {
    entry: Entry,
    path: String,
    way: Option<Arc<Way>>,
}

/// The method to enter a directory.
enum Entry {
    /// By its name in the directory that contains it.
    Directory { parent: Arc<OwnedFd>, name: CString },
    /// Through a link, by its path from the root.
    Link,
}

/// The target of a link.
enum Target {
    File,
    Directory,
    /// A target that cannot be listed, and has been noted.
    Nothing,
    /// Neither a file nor a directory.
    Other,
}

/// A walk in progress.
pub(super) struct Walk<'a> {
    root: &'a Path,
    top: &'a Root,
    seen: Seen,
    /// The number of files and directories, including those that cannot be listed.
    count: usize,
    ahead: Vec<Ahead>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(root: &'a Path, top: &'a Root) -> Self {
        Self { root, top, seen: Seen::default(), count: 0, ahead: Vec::new() }
    }

    /// Returns the results for names that begin with a prefix.
    pub(super) async fn below(mut self, prefix: &str) -> Result<Seen, Stop> {
        let (folder, beginning) = prefix.split_at(prefix.rfind('/').map_or(0, |slash| slash + 1));
        if let Some(directory) = self.open(folder)? {
            self.read(directory, beginning)?;
        }
        while let Some(ahead) = self.ahead.pop() {
            yield_now().await;
            if let Some(directory) = self.enter(ahead)? {
                self.read(directory, "")?;
            }
        }
        Ok(self.seen)
    }

    /// Opens the directory that the prefix spells. Returns `None` if it does not exist.
    fn open(&self, folder: &str) -> Result<Option<Directory>, Stop> {
        let mut way = None;
        for (slash, _) in folder.match_indices('/') {
            let outer = folder.get(..slash).and_then(|inner| inner.rfind('/')).map_or(0, |outer| outer + 1);
            let Some(opened) = self.spelled(folder.get(..outer).unwrap_or_default())? else {
                return Ok(None);
            };
            let identity = DirectoryState::at(&opened).map_err(|errno| self.failed(folder, errno))?.identity;
            way = Some(Arc::new(Way { identity, outer: way }));
        }
        let opened = self.spelled(folder)?;
        Ok(opened.map(|opened| Directory { descriptor: Arc::new(opened), path: folder.to_owned(), way }))
    }

    /// Opens a directory by its path from the root.
    fn spelled(&self, folder: &str) -> Result<Option<OwnedFd>, Stop> {
        // The dot ensures that the name is that of a directory.
        match beneath::open(self.top.as_fd(), &format!("{folder}.")) {
            Ok(opened) => Ok(Some(opened)),
            Err(Refusal::Absent) => Ok(None),
            Err(refusal) => Err(error::of_listing(Location::of_directory(self.root, folder), refusal).into()),
        }
    }

    /// Opens a directory that has been seen. Returns `None` if a link leads to a directory that the walk is in.
    fn enter(&mut self, ahead: Ahead) -> Result<Option<Directory>, Stop> {
        let Ahead { entry, path, way } = ahead;
        let opened = match &entry {
            Entry::Directory { parent, name } => match beneath::enter(parent.as_fd(), name) {
                // It has become a link. The error number for that depends on the system.
                Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => return Err(Stop::Changed),
                opened => opened.map_err(|errno| self.failed(&path, errno))?,
            },
            Entry::Link => match beneath::open(self.top.as_fd(), &format!("{path}.")) {
                Err(Refusal::Absent | Refusal::LeadsNowhere) => return Err(Stop::Changed),
                Err(refusal) => {
                    return Err(error::of_listing(Location::of_directory(self.root, &path), refusal).into());
                }
                Ok(opened) => opened,
            },
        };
        let identity = DirectoryState::at(&opened).map_err(|errno| self.failed(&path, errno))?.identity;
        if matches!(entry, Entry::Link) && is_on(&way, identity) {
            let link = path.trim_end_matches('/');
            self.skip(&format!("the link {link:?} below {:?} leads to a directory that it is in", self.root));
            return Ok(None);
        }
        Ok(Some(Directory { descriptor: Arc::new(opened), path, way }))
    }

    /// Reads the entries of a directory whose names begin with this text.
    fn read(&mut self, mut directory: Directory, beginning: &str) -> Result<(), Stop> {
        let Directory { descriptor, path, way } = &mut directory;
        if path.matches('/').count() >= MOST_COMPONENTS {
            return Err(error::too_deep(Location::of_directory(self.root, path)).into());
        }
        let look = DirectoryState::at(descriptor).map_err(|errno| self.failed(path, errno))?;
        *way = Some(Arc::new(Way { identity: look.identity, outer: way.take() }));
        self.seen.directories.insert(path.clone(), look);
        let (root, directory) = (self.root, &directory);
        let failed = |errno| failed(root, &directory.path, errno);
        entries::each(directory.descriptor.as_fd(), failed, |name, file_type| match wanted(name, beginning) {
            Wanted::Yes => {
                let file_type = known(file_type, directory, name).map_err(failed)?;
                self.take(directory, name, file_type)
            }
            Wanted::Hidden => {
                self.seen.hidden.insert(format!("{}{}", directory.path, name.to_string_lossy()));
                self.count()
            }
            Wanted::No => Ok(()),
        })
    }

    fn take(&mut self, directory: &Directory, name: &CStr, file_type: FileType) -> Result<(), Stop> {
        let Ok(text) = name.to_str() else { return self.warn(directory, name) };
        let path = format!("{}{text}", directory.path);
        match file_type {
            FileType::RegularFile => self.add(path),
            FileType::Directory => {
                let parent = Arc::clone(&directory.descriptor);
                self.see(directory, Entry::Directory { parent, name: name.to_owned() }, &path)
            }
            FileType::Symlink => match self.target(&path)? {
                Target::File => self.add(path),
                Target::Directory => self.see(directory, Entry::Link, &path),
                Target::Nothing => Ok(()),
                Target::Other => self.skip_irregular(&path),
            },
            _ => self.skip_irregular(&path),
        }
    }

    /// Notes a directory to be entered.
    fn see(&mut self, directory: &Directory, entry: Entry, path: &str) -> Result<(), Stop> {
        self.count()?;
        self.ahead.push(Ahead { entry, path: format!("{path}/"), way: directory.way.clone() });
        Ok(())
    }

    /// Returns the target of a link, as a fetch would find it.
    ///
    /// A link that leads nowhere, in a circle or out of the root is noted. It may name a secret, and then the listing
    /// would be incomplete. It may also be in the course of being replaced, which the next walk shows.
    fn target(&mut self, path: &str) -> Result<Target, Stop> {
        let refusal = match beneath::open(self.top.as_fd(), path) {
            Ok(opened) => return target(&opened).map_err(|errno| self.failed(path, errno)),
            Err(refusal) => refusal,
        };
        match refusal {
            Refusal::Absent => Err(Stop::Changed),
            Refusal::LeadsNowhere | Refusal::System(Errno::LOOP | Errno::XDEV) => {
                self.seen.broken_links.insert(path.to_owned(), refusal);
                Ok(Target::Nothing)
            }
            // The system reports this for a socket, and for a device without a driver.
            Refusal::System(Errno::NXIO | Errno::NODEV | Errno::OPNOTSUPP) => Ok(Target::Other),
            _ => {
                let place = Location::of_directory(self.root, path);
                Err(error::of_file(place, FileFault::Open(refusal)).into())
            }
        }
    }

    fn add(&mut self, name: String) -> Result<(), Stop> {
        self.count()?;
        self.seen.names.insert(name);
        Ok(())
    }

    /// Warns of a name that cannot be requested. `Debug` escapes the bytes that are not UTF-8.
    fn warn(&mut self, directory: &Directory, name: &CStr) -> Result<(), Stop> {
        self.count()?;
        let path = [directory.path.as_bytes(), name.to_bytes()].concat();
        let (path, root) = (OsStr::from_bytes(&path), self.root);
        self.skip(&format!("the name {path:?} below {root:?} is not UTF-8"));
        Ok(())
    }

    fn skip_irregular(&mut self, path: &str) -> Result<(), Stop> {
        self.count()?;
        self.skip(&format!("{path:?} below {:?} is not a regular file", self.root));
        Ok(())
    }

    fn skip(&mut self, why: &str) {
        self.seen.warnings.insert(format!("{why}: it is not listed"));
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.count += 1;
        if self.count > MOST_ENTRIES { Err(error::too_many(self.root).into()) } else { Ok(()) }
    }

    fn failed(&self, path: &str, errno: Errno) -> Stop {
        failed(self.root, path, errno)
    }
}

/// Returns the error for a known directory that cannot be read.
fn failed(root: &Path, path: &str, errno: Errno) -> Stop {
    match errno {
        Errno::NOENT => Stop::Changed,
        _ => Stop::Failed(error::of_listing(Location::of_directory(root, path), errno.into())),
    }
}

fn target(opened: &OwnedFd) -> Result<Target, Errno> {
    Ok(match FileType::from_raw_mode(fstat(opened)?.st_mode) {
        FileType::RegularFile => Target::File,
        FileType::Directory => Target::Directory,
        _ => Target::Other,
    })
}

/// Says whether a directory is one of those that the walk is in.
fn is_on(way: &Option<Arc<Way>>, identity: Identity) -> bool {
    std::iter::successors(way.as_ref(), |inner| inner.outer.as_ref()).any(|inner| inner.identity == identity)
}

/// Whether an entry of a directory is listed.
enum Wanted {
    Yes,
    /// Only its first dot keeps it from being listed.
    Hidden,
    No,
}

/// Says whether an entry of a directory can be a part of a name that begins with this text.
fn wanted(name: &CStr, beginning: &str) -> Wanted {
    let name = name.to_bytes();
    match name {
        b"." | b".." => Wanted::No,
        _ if !name.starts_with(beginning.as_bytes()) => Wanted::No,
        [b'.', b'.', ..] if beginning.is_empty() => Wanted::No,
        [b'.', ..] if beginning.is_empty() => Wanted::Hidden,
        _ => Wanted::Yes,
    }
}

/// Returns the type of an entry. Some filesystems do not store it in the directory itself.
fn known(file_type: FileType, directory: &Directory, name: &CStr) -> Result<FileType, Errno> {
    match file_type {
        FileType::Unknown => {
            let stat = statat(&directory.descriptor, name, AtFlags::SYMLINK_NOFOLLOW)?;
            Ok(FileType::from_raw_mode(stat.st_mode))
        }
        known => Ok(known),
    }
}
