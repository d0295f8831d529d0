//! One walk through the files below a root.
//!
//! Each directory is opened in the one that it was found in, by its descriptor, so that no rename can lead elsewhere. One behind
//! a link is opened like a file of that name, by its path from the root, so that it stays below the root; so is the directory
//! that the prefix spells. A link to a directory that the walk is in already is not entered: there are no circles. What
//! begins with a dot is left out, as a shell's `*` does, unless the prefix spells the dot. Whatever is left out is told, but
//! for names with two dots, which are the kubelet's own.
//!
//! Directories are gone through depth first, so that no more descriptors are held than there are components in a name.

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
use crate::turn::let_others_run;

/// What a walk has seen.
#[derive(Default, PartialEq)]
pub(super) struct Seen {
    pub(super) names: BTreeSet<String>,
    pub(super) warnings: BTreeSet<String>,
    /// By path, what begins with a dot.
    pub(super) hidden: BTreeSet<String>,
    /// By path, each link that leads nowhere, round in a circle or out of the root.
    pub(super) broken_links: BTreeMap<String, Refusal>,
    /// By path, each directory as it was before it was read.
    directories: BTreeMap<String, DirectoryState>,
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

/// A directory that is open.
struct Directory {
    descriptor: Arc<OwnedFd>,
    /// Its path below the root, with a `/` at the end; empty for the root itself.
    path: String,
    way: Option<Arc<Way>>,
}

/// The directories that the walk is in, the innermost first.
struct Way {
    identity: Identity,
    outer: Option<Arc<Way>>,
}

/// A directory that has been seen.
struct Ahead {
    entry: Entry,
    path: String,
    way: Option<Arc<Way>>,
}

/// How a directory is entered.
enum Entry {
    /// By its name in the directory that it is in.
    Directory { parent: Arc<OwnedFd>, name: CString },
    /// Through a link, by its path from the root.
    Link,
}

/// What a link leads to.
enum Target {
    File,
    Directory,
    /// What cannot be listed, and has been noted.
    Nothing,
    /// Neither a file nor a directory.
    Other,
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
            self.read(directory, beginning)?;
        }
        while let Some(ahead) = self.ahead.pop() {
            let_others_run().await;
            if let Some(directory) = self.enter(ahead)? {
                self.read(directory, "")?;
            }
        }
        Ok(self.seen)
    }

    /// Opens the directory that the prefix spells; none if there is no such directory.
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
        // The dot makes the name that of a directory, and of nothing else.
        match beneath::open(self.top.as_fd(), &format!("{folder}.")) {
            Ok(opened) => Ok(Some(opened)),
            Err(Refusal::Absent) => Ok(None),
            Err(refusal) => Err(error::of_listing(Location::of_directory(self.root, folder), refusal).into()),
        }
    }

    /// Opens a directory that has been seen; none if a link leads to one that the walk is in.
    fn enter(&mut self, ahead: Ahead) -> Result<Option<Directory>, Stop> {
        let Ahead { entry, path, way } = ahead;
        let opened = match &entry {
            Entry::Directory { parent, name } => match beneath::enter(parent.as_fd(), name) {
                // What a link gives, that it has become, depends on the system.
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

    /// Takes what a directory holds whose names have this beginning.
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

    /// Returns what a link leads to, as a fetch would find it.
    ///
    /// A link that leads nowhere, round in a circle or out of the root is noted. It may name a secret, and a listing without that
    /// one would be a part that is taken for all. But it may also be in the course of being replaced: the next walk tells.
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
            // So says the system of a socket, and of a device that has no driver.
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

    /// Warns of what nobody can ask for. `Debug` writes the bytes that are no text as escapes.
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

/// Says what it means that a directory, which was there, cannot be gone through.
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
    /// It would be, but for the dot that it begins with.
    Hidden,
    No,
}

/// Says whether an entry of a directory can be part of a name that has this beginning.
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
