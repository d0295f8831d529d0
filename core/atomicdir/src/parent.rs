//! Step 1: the directory that holds the link, and who else can put names into it.
//!
//! There are three ways to open it:
//!
//! | for | the way there is judged | what is missing is made |
//! |---|---|---|
//! | a run | yes, unless parents are trusted | yes |
//! | a look at what a run would find | yes, unless parents are trusted | no |
//! | a look at what is published | no | no |
//!
//! It is opened once. Should the path lead elsewhere later, because somebody renamed a directory or mounted something over it,
//! everything goes on in the directory that was opened, and a publish tells.
//!
//! Where only its owner can put names into it, whatever has a name of ours is ours, whoever it belongs to: the configured owner
//! of a generation, for example. Elsewhere, what belongs to somebody else says nothing.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, accessat, openat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::error::At;
use crate::resolve::{Missing, Resolver};
use crate::trust::Parents;
use crate::{Durability, Error, Refusal, Result, Step};

/// For directories below the parent: never through a link.
pub(crate) const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The directory that holds the link: opened once, every later call is relative to it.
#[derive(Debug)]
pub(crate) struct Parent {
    pub(crate) directory: File,
    /// As it was given, for messages.
    pub(crate) path: PathBuf,
    /// Counted from the root, to see whether the path still leads here.
    absolute: PathBuf,
    pub(crate) device: u64,
    inode: u64,
    exposure: Exposure,
}

/// Whether anyone but us and root can put names into the parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exposure {
    /// Nobody can. What is there is ours.
    Private,
    /// Others can, so whose something is matters.
    Shared,
    /// As shared, but we only look: at what root publishes there, too, or the owner of the parent.
    LookedInto { owner: u32 },
}

impl Parent {
    /// Opens the parent, making what is missing of it.
    pub(crate) fn open_or_make(path: PathBuf, parents: Parents, durability: Durability) -> Result<Self> {
        let resolver = Resolver::new(&path, parents, Missing::Make(durability))?;
        match resolver.open_directory()? {
            Some(directory) => Self::of(directory, path),
            None => Err(Errno::NOENT).at(Step::Parent, "open", path),
        }
    }

    /// Opens the parent as a run would, without making anything: `None` if it is not there.
    pub(crate) fn open_as_run(path: PathBuf, parents: Parents) -> Result<Option<Self>> {
        match Resolver::new(&path, parents, Missing::Inspect)?.open_directory()? {
            Some(directory) => Self::of(directory, path).map(Some),
            None => Ok(None),
        }
    }

    /// Opens the parent to look at it: `None` if it is not there. Anyone may look at what others publish, so whose it is
    /// does not matter, unless everybody can replace the link.
    pub(crate) fn open_to_look(path: PathBuf, parents: Parents) -> Result<Option<Self>> {
        // By a descriptor that needs no permission to list: a reader may only be let through.
        const FOLLOW: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
        let directory = match openat(CWD, &path, FOLLOW, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            opened => File::from(opened.at(Step::Parent, "open", &path)?),
        };
        let found = directory.metadata().at(Step::Parent, "inspect", &path)?;
        let mode = found.mode() & 0o7777;
        if parents == Parents::Strict && mode & 0o1002 == 0o002 {
            return Err(Error::refuse(Step::Parent, "look into", path, Refusal::WritableByEveryone(mode)));
        }
        // Where only the owner can put names, they are the owner's.
        let exposure =
            if mode & 0o022 == 0 { Exposure::Private } else { Exposure::LookedInto { owner: found.uid() } };
        Ok(Some(Self { exposure, ..Self::of(directory, path)? }))
    }

    /// Remembers what was opened: to see later whether the path still leads here.
    fn of(directory: File, path: PathBuf) -> Result<Self> {
        let found = directory.metadata().at(Step::Parent, "inspect", &path)?;
        let absolute = std::path::absolute(&path).at(Step::Parent, "find", &path)?;
        let exposure = Exposure::of(&found);
        Ok(Self { directory, path, absolute, device: found.dev(), inode: found.ino(), exposure })
    }

    /// Returns the path of a name in the parent, for messages.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Returns a path without symbolic links that leads here: absolute.
    pub(crate) fn own_path(&self, step: Step) -> Result<PathBuf> {
        let path = std::fs::canonicalize(&self.absolute).at(step, "find", &self.path)?;
        self.ensure_led_here(&path, step).map(|()| path)
    }

    /// Ensures that something in the parent is ours, which matters where anyone else can put names there. `also` is an owner
    /// whom a run gives things to.
    pub(crate) fn ensure_ours(&self, step: Step, name: &str, owner: u32, also: Option<u32>) -> Result<()> {
        let user = geteuid().as_raw();
        let trusted = match self.exposure {
            Exposure::Private => true,
            Exposure::Shared => false,
            Exposure::LookedInto { owner: of_parent } => owner == 0 || owner == of_parent,
        };
        if trusted || owner == user || Some(owner) == also {
            return Ok(());
        }
        Err(Error::refuse(step, "trust", self.join(name), Refusal::NotOurs { owner, user }))
    }

    /// Ensures that this process may make names here, by the kernel's own answer for its effective user. A disk may be full or
    /// read-only all the same.
    pub(crate) fn ensure_writable(&self) -> Result<()> {
        let access = Access::WRITE_OK | Access::EXEC_OK;
        accessat(&self.directory, ".", access, AtFlags::EACCESS).at(Step::Parent, "write to", &self.path)
    }

    /// Ensures that the path still leads here: nobody has renamed the directory, or mounted something over it.
    pub(crate) fn ensure_in_place(&self, step: Step) -> Result<()> {
        self.ensure_led_here(&self.absolute, step)
    }

    /// Ensures that a path leads to this directory.
    fn ensure_led_here(&self, path: &Path, step: Step) -> Result<()> {
        let moved = || Error::refuse(step, "find", &self.path, Refusal::Moved);
        match std::fs::metadata(path) {
            Ok(found) if (found.dev(), found.ino()) == (self.device, self.inode) => Ok(()),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).at(step, "inspect", &self.path)
            }
            _ => Err(moved()),
        }
    }
}

impl Exposure {
    /// Returns who can put names into a directory: its owner can, whatever its mode.
    fn of(found: &Metadata) -> Self {
        let foreign = found.uid() != 0 && found.uid() != geteuid().as_raw();
        if found.mode() & 0o022 != 0 || foreign { Self::Shared } else { Self::Private }
    }
}
