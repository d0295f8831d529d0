//! Follows a path from `/`, one component at a time. Each is opened by the descriptor of the one before. So each can be
//! checked before it is used, and missing directories can be made.
//!
//! The kernel could follow the path in one call, but then the components would be unknown. Judging each component by
//! its path, and opening the whole path later, would be a time-of-check to time-of-use race. Here each component is
//! opened in the one before, without following links. It is checked by its descriptor, and only then is the next one
//! looked up in it. Only root and we can replace a component that was found safe, so the result stays true.
//!
//! A symbolic link is checked and read, and its target is followed in the same way, from `/` if it is absolute. The
//! number of links is limited, which ends cycles, as the kernel does.
//!
//! A missing directory is made in one that was checked, with the guarantees of [`new_directory`](crate::new_directory). Descriptors are
//! opened with `O_PATH`. They need no permission to list, and opening a device or a FIFO has no effect.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, accessat, fchmod, fsync, openat, readlinkat, statat};
use rustix::io::Errno;

use crate::error::At;
use crate::trust::{self, Kind, Parents};
use crate::{Durability, Error, Refusal, Result, Step, new_directory, platform};

/// To inspect a file, and to look up names in a directory. Such a descriptor can neither read nor change it.
const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// To list a directory, and to sync it.
const LIST: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The maximum number of links, the same as the kernel's.
const LINKS: u32 = 40;

/// The mode of missing directories, regardless of the umask. After a boot /run is empty, and readers must get through.
const MODE: Mode = Mode::from_raw_mode(0o755);

/// How to handle a missing directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Make it, as durably as the published files.
    Make(Durability),
    /// Check that it could be made, or fail. The rest of the path is not followed.
    Inspect,
    /// Fail.
    Refuse,
}

/// The state while a path is followed.
pub(crate) struct Resolver {
    /// The path as it was given, for messages.
    asked: PathBuf,
    parents: Parents,
    missing: Missing,
    /// The current component, and its path without links.
    here: File,
    path: PathBuf,
    /// The remaining components, the next one last.
    rest: Vec<OsString>,
    links: u32,
}

/// Returns whether a file is a device. The data that is read from it does not depend on who may write to it.
fn is_device(metadata: &Metadata) -> bool {
    metadata.file_type().is_char_device() || metadata.file_type().is_block_device()
}

impl Resolver {
    /// Starts at `/`, which is checked too. A relative path is first joined to the current directory.
    pub(crate) fn new(asked: &Path, parents: Parents, missing: Missing) -> Result<Self> {
        let absolute = std::path::absolute(asked).at(Step::Parent, "find", asked)?;
        let here = openat(CWD, "/", LOOK | OFlags::DIRECTORY, Mode::empty()).at(Step::Parent, "open", "/")?;
        let mut resolver = Self {
            asked: asked.to_owned(),
            parents,
            missing,
            here: here.into(),
            path: PathBuf::from("/"),
            rest: Vec::new(),
            links: 0,
        };
        resolver.push(&absolute);
        resolver.check_trusted(Kind::Directory, &resolver.inspect(&resolver.here)?)?;
        Ok(resolver)
    }

    /// Follows the whole path.
    pub(crate) fn run(&mut self) -> Result<()> {
        while let Some(name) = self.rest.pop() {
            self.step(name)?;
        }
        Ok(())
    }

    /// Follows the whole path, and opens its directory: `None` if it is missing and `missing` is `Inspect`.
    pub(crate) fn open_directory(mut self) -> Result<Option<File>> {
        while let Some(name) = self.rest.pop() {
            if self.missing == Missing::Inspect && self.is_missing(&name)? {
                return Ok(None);
            }
            self.step(name)?;
        }
        let opened = openat(&self.here, ".", LIST, Mode::empty());
        opened.map(|opened| Some(File::from(opened))).at(Step::Parent, "open", self.asked)
    }

    /// Returns whether a name is missing and would have to be made. It is an error if it cannot be made.
    fn is_missing(&self, name: &OsStr) -> Result<bool> {
        match statat(&self.here, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => {
                let access = Access::WRITE_OK | Access::EXEC_OK;
                let made = accessat(&self.here, ".", access, AtFlags::EACCESS);
                made.at(Step::Parent, "create", self.path.join(name)).map(|()| true)
            }
            // Any other problem is reported when it is followed.
            _ => Ok(false),
        }
    }

    /// Puts the components of a path before the remaining ones. `..` is kept: its target depends on what is reached.
    fn push(&mut self, path: &Path) {
        let names = path.components().rev().filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        });
        self.rest.extend(names);
    }

    /// Follows one component. `..` leads to the parent of the current directory, which has been checked.
    fn step(&mut self, name: OsString) -> Result<()> {
        if name == ".." {
            let above = openat(&self.here, "..", LOOK | OFlags::DIRECTORY, Mode::empty());
            self.here = above.map(File::from).at(Step::Parent, "open", &self.asked)?;
            self.path.pop();
            return Ok(());
        }
        let path = self.path.join(&name);
        let found = match openat(&self.here, &name, LOOK, Mode::empty()) {
            Err(Errno::NOENT) if matches!(self.missing, Missing::Make(_)) => return self.make(name, path),
            found => File::from(found.at(Step::Parent, "open", &path)?),
        };
        let metadata = self.inspect(&found)?;
        if metadata.is_symlink() {
            return self.follow(&found, path, &metadata);
        }
        let kind = if metadata.is_dir() { Kind::Directory } else { Kind::File };
        (self.here, self.path) = (found, path);
        // Those who can write to a device do not choose what is read from it, and only root can make one.
        if is_device(&metadata) { Ok(()) } else { self.check_trusted(kind, &metadata) }
    }

    /// Follows a symbolic link. Only its owner matters: the mode lets everyone write to it, but nobody can change it.
    fn follow(&mut self, link: &File, path: PathBuf, metadata: &Metadata) -> Result<()> {
        self.links += 1;
        if self.links > LINKS {
            return Err(Errno::LOOP).at(Step::Parent, "open", &self.asked);
        }
        if self.parents == Parents::Strict {
            trust::check_trusted(&path, Kind::Link, metadata)?;
        }
        let target = readlinkat(link, "", Vec::new()).at(Step::Parent, "read", &path)?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        if target.is_absolute() {
            let root = openat(CWD, "/", LOOK | OFlags::DIRECTORY, Mode::empty());
            (self.here, self.path) = (root.at(Step::Parent, "open", "/")?.into(), PathBuf::from("/"));
        } else if self.rest.is_empty()
            && platform::is_of_proc(&self.here).at(Step::Parent, "inspect", &path)?
        {
            // Such as `pipe:[7]` on a standard stream, the kernel's name for an object without a path.
            return Ok(());
        }
        self.push(&target);
        Ok(())
    }

    /// Makes a missing directory, and enters it. If another process makes it first, it is checked like any other.
    fn make(&mut self, name: OsString, path: PathBuf) -> Result<()> {
        let device = self.inspect(&self.here)?.dev();
        let made = match new_directory::make(&self.here, Path::new(&name), device, Step::Parent, &path) {
            Ok(Some(made)) => made,
            Ok(None) => {
                self.rest.push(name);
                return self.once_more(&path);
            }
            // Another run of this user may have put files into it before the check. The path has been checked, so no
            // other user could have.
            Err(error) if error.refusal() == Some(&Refusal::Swapped) && self.parents == Parents::Strict => {
                new_directory::open_in_use(&self.here, Path::new(&name), device, Step::Parent, &path)?
            }
            Err(error) => return Err(error),
        };
        fchmod(&made, MODE).at(Step::Parent, "set the mode of", &path)?;
        if matches!(self.missing, Missing::Make(durability) if durability.syncs_each()) {
            let above = openat(&self.here, ".", LIST, Mode::empty()).at(Step::Parent, "open", &self.path)?;
            fsync(above).at(Step::Parent, "sync the parent of", &path)?;
        }
        (self.here, self.path) = (made, path);
        Ok(())
    }

    /// Counts one more attempt at a name that was missing and then taken, so that nobody can keep this going for ever.
    fn once_more(&mut self, path: &Path) -> Result<()> {
        self.links += 1;
        if self.links > LINKS {
            return Err(Error::refuse(Step::Parent, "create", path, Refusal::Appeared));
        }
        Ok(())
    }

    /// Returns the metadata of an open component.
    fn inspect(&self, file: &File) -> Result<Metadata> {
        file.metadata().at(Step::Parent, "inspect", &self.asked)
    }

    /// Judges the current component, unless the parents are trusted.
    fn check_trusted(&self, kind: Kind, metadata: &Metadata) -> Result<()> {
        match self.parents {
            Parents::Strict => trust::check_trusted(&self.path, kind, metadata),
            Parents::Trusted => Ok(()),
        }
    }
}
