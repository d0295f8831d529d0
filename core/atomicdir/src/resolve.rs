//! Follows a path one component at a time, from `/`, each by a descriptor of the one before: so that each can be judged
//! before it is relied on, and so that what is missing can be made.
//!
//! The kernel could follow the path in one call, but then nobody would know what it passed. To judge each component by its
//! path, and to open the whole path afterwards, would leave time to exchange one in between. Here each is opened in the one
//! before, through no link, judged by that descriptor, and only then is the next one looked up in it. A component that
//! was judged good can be replaced by nobody but root and us, so the judgement holds.
//!
//! A symbolic link is judged, then read, and what it says is followed in the same way, from `/` if it is absolute. The count
//! of links ends circles, as the kernel's does.
//!
//! A missing directory is made in the one that was judged, with what [`made`](crate::made) ensures. Descriptors are of
//! `O_PATH`: they need no permission to list, and opening a device or a FIFO by them does nothing.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, accessat, fchmod, fsync, openat, readlinkat, statat};
use rustix::io::Errno;

use crate::error::At;
use crate::trust::{self, Kind, Parents};
use crate::{Durability, Error, Refusal, Result, Step, made, platform};

/// To look at something, and to look up what is in it; nothing can be read or changed by such a descriptor.
const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// To list a directory, and to sync it.
const LIST: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// As many links as the kernel follows.
const LINKS: u32 = 40;

/// Missing directories get this mode, whatever the umask: /run is empty after a boot, and readers must get through.
const MODE: Mode = Mode::from_raw_mode(0o755);

/// What becomes of a directory that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is made, as durably as all that is published.
    Make(Durability),
    /// It could be made, or that is an error. The rest of the path is not followed then.
    Inspect,
    /// It is an error.
    Refuse,
}

/// A path on its way to what it leads to.
pub(crate) struct Resolver {
    /// What was asked for, for messages.
    asked: PathBuf,
    parents: Parents,
    missing: Missing,
    /// What has been reached, and its path without any links.
    here: File,
    path: PathBuf,
    /// What is still to come, the next one last.
    rest: Vec<OsString>,
    links: u32,
}

/// Says whether something is a device: what is read from it does not depend on who may write to it.
fn is_device(metadata: &Metadata) -> bool {
    metadata.file_type().is_char_device() || metadata.file_type().is_block_device()
}

impl Resolver {
    /// Begins at `/`, which is judged too. A relative path counts from the current folder, whose own path is followed first.
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
        resolver.judge(Kind::Directory, &resolver.inspect(&resolver.here)?)?;
        Ok(resolver)
    }

    /// Follows the whole path.
    pub(crate) fn run(&mut self) -> Result<()> {
        while let Some(name) = self.rest.pop() {
            self.step(name)?;
        }
        Ok(())
    }

    /// Follows the whole path, and opens the directory that it leads to: `None` if it is missing, and was only inspected.
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

    /// Says whether a name is missing, and would have to be made. It is an error if that cannot be done.
    fn is_missing(&self, name: &OsStr) -> Result<bool> {
        match statat(&self.here, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => {
                let access = Access::WRITE_OK | Access::EXEC_OK;
                let made = accessat(&self.here, ".", access, AtFlags::EACCESS);
                made.at(Step::Parent, "create", self.path.join(name)).map(|()| true)
            }
            // Whatever else is wrong with it, following it says.
            _ => Ok(false),
        }
    }

    /// Puts the components of a path before what is still to come. `..` stays: where it leads depends on what is reached.
    fn push(&mut self, path: &Path) {
        let names = path.components().rev().filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        });
        self.rest.extend(names);
    }

    /// Follows one component. `..` leads to the directory that this one was looked up in, which has been judged.
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
        // Whoever can write to a device does not choose what is read from it, and only root makes one.
        if is_device(&metadata) { Ok(()) } else { self.judge(kind, &metadata) }
    }

    /// Follows a symbolic link, of which the owner counts: everyone can write to every link, and nobody can change one.
    fn follow(&mut self, link: &File, path: PathBuf, metadata: &Metadata) -> Result<()> {
        self.links += 1;
        if self.links > LINKS {
            return Err(Errno::LOOP).at(Step::Parent, "open", &self.asked);
        }
        if self.parents == Parents::Strict {
            trust::judge(&path, Kind::Link, metadata)?;
        }
        let target = readlinkat(link, "", Vec::new()).at(Step::Parent, "read", &path)?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        if target.is_absolute() {
            let root = openat(CWD, "/", LOOK | OFlags::DIRECTORY, Mode::empty());
            (self.here, self.path) = (root.at(Step::Parent, "open", "/")?.into(), PathBuf::from("/"));
        } else if self.rest.is_empty()
            && platform::is_of_proc(&self.here).at(Step::Parent, "inspect", &path)?
        {
            // Such as `pipe:[7]`, on a standard stream: the kernel's name of something that has no path.
            return Ok(());
        }
        self.push(&target);
        Ok(())
    }

    /// Makes one missing directory, and goes on into it. Somebody else may be faster: then it is looked at like any other.
    fn make(&mut self, name: OsString, path: PathBuf) -> Result<()> {
        let device = self.inspect(&self.here)?.dev();
        let made = match made::make(&self.here, Path::new(&name), device, Step::Parent, &path) {
            Ok(Some(made)) => made,
            Ok(None) => {
                self.rest.push(name);
                return self.once_more(&path);
            }
            // Another run of this user may have put something into it before it was looked at. Where the way here has been
            // judged nobody else could have.
            Err(error) if error.refusal() == Some(&Refusal::Swapped) && self.parents == Parents::Strict => {
                made::open_in_use(&self.here, Path::new(&name), device, Step::Parent, &path)?
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

    /// Counts a look that found nothing where there is something a moment later, so that nobody can keep this going.
    fn once_more(&mut self, path: &Path) -> Result<()> {
        self.links += 1;
        if self.links > LINKS {
            return Err(Error::refuse(Step::Parent, "create", path, Refusal::Appeared));
        }
        Ok(())
    }

    /// Returns what an open component is.
    fn inspect(&self, file: &File) -> Result<Metadata> {
        file.metadata().at(Step::Parent, "inspect", &self.asked)
    }

    /// Judges what has been reached, unless all that leads to the link is trusted.
    fn judge(&self, kind: Kind, metadata: &Metadata) -> Result<()> {
        match self.parents {
            Parents::Strict => trust::judge(&self.path, kind, metadata),
            Parents::Trusted => Ok(()),
        }
    }
}
