//! Step 1: the directory that holds the link, and who else can put names into it.
//!
//! There are three ways to open it:
//!
//! | for | its path is checked | missing directories are made |
//! |---|---|---|
//! | a run | yes, unless parents are trusted | yes |
//! | a check of what a run would find | yes, unless parents are trusted | no |
//! | the status of what is published | no | no |
//!
//! It is opened once. Its path may lead elsewhere later, because a directory was renamed or something was mounted over
//! it. The run then continues in the directory that was opened, and a publish reports the problem.
//!
//! If only its owner can put names into it, every file under one of our names is ours. This holds whatever the owner of
//! the file, for example the configured owner of a generation. Otherwise, files that belong to other users are not
//! trusted.

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

/// For directories below the parent. Follows no link.
pub(crate) const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The directory that holds the link. It is opened once, and every later call is relative to it.
#[derive(Debug)]
pub(crate) struct Parent {
    pub(crate) directory: File,
    /// The path as it was given, for messages.
    pub(crate) path: PathBuf,
    /// The absolute path, to check whether it still leads here.
    absolute: PathBuf,
    pub(crate) device: u64,
    inode: u64,
    exposure: Exposure,
}

/// Whether others than root and us can put names into the parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exposure {
    /// Others cannot. All files in it are ours.
    Private,
    /// Others can, so the owner of each file matters.
    Shared,
    /// Others can, but we only read. Files of root and of the owner of the parent are trusted too.
    LookedInto { owner: u32 },
}

impl Parent {
    /// Opens the parent, and makes the missing directories of its path.
    pub(crate) fn open_or_make(path: PathBuf, parents: Parents, durability: Durability) -> Result<Self> {
        let resolver = Resolver::new(&path, parents, Missing::Make(durability))?;
        match resolver.open_directory()? {
            Some(directory) => Self::of(directory, path),
            None => Err(Errno::NOENT).at(Step::Parent, "open", path),
        }
    }

    /// Opens the parent as a run would, but makes nothing: `None` if it is missing.
    pub(crate) fn open_as_run(path: PathBuf, parents: Parents) -> Result<Option<Self>> {
        match Resolver::new(&path, parents, Missing::Inspect)?.open_directory()? {
            Some(directory) => Self::of(directory, path).map(Some),
            None => Ok(None),
        }
    }

    /// Opens the parent to read its status: `None` if it is missing. Any user may read what others publish, so its
    /// owner does not matter. It is refused if everyone can replace the link.
    pub(crate) fn open_to_look(path: PathBuf, parents: Parents) -> Result<Option<Self>> {
        // This descriptor needs no permission to list: a reader may only have permission to pass through.
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
        // If only the owner can put names there, the names are the owner's.
        let exposure =
            if mode & 0o022 == 0 { Exposure::Private } else { Exposure::LookedInto { owner: found.uid() } };
        Ok(Some(Self { exposure, ..Self::of(directory, path)? }))
    }

    /// Keeps the identity of the open directory, to check later whether the path still leads here.
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

    /// Returns an absolute path to this directory without symbolic links.
    pub(crate) fn own_path(&self, step: Step) -> Result<PathBuf> {
        let path = std::fs::canonicalize(&self.absolute).at(step, "find", &self.path)?;
        self.ensure_led_here(&path, step).map(|()| path)
    }

    /// Checks that a file in the parent is ours. This matters only if others can put names there. `also` is an owner to
    /// whom runs give files.
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

    /// Checks that this process may make names here. The kernel answers for its effective user. The disk may still be
    /// full or read-only.
    pub(crate) fn ensure_writable(&self) -> Result<()> {
        let access = Access::WRITE_OK | Access::EXEC_OK;
        accessat(&self.directory, ".", access, AtFlags::EACCESS).at(Step::Parent, "write to", &self.path)
    }

    /// Checks that the path still leads here: the directory was not renamed, and nothing was mounted over it.
    pub(crate) fn ensure_in_place(&self, step: Step) -> Result<()> {
        self.ensure_led_here(&self.absolute, step)
    }

    /// Checks that a path leads to this directory.
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
    /// Returns who can put names into a directory. Its owner can, whatever its mode.
    fn of(found: &Metadata) -> Self {
        let foreign = found.uid() != 0 && found.uid() != geteuid().as_raw();
        if found.mode() & 0o022 != 0 || foreign { Self::Shared } else { Self::Private }
    }
}
