//! What is chosen once for a directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::parent::Parent;
use crate::platform;
use crate::{AtomicDir, Attributes, Error, LinkName, Mode, Result, Step};

/// How much of a publish is on disk before the link flips, and when publishing returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// One `syncfs` before the flip. Everything else that waits on that filesystem is written too.
    #[default]
    Filesystem,
    /// One `fsync` for each file and directory before the flip: as durable, for disks with much other traffic.
    PerFile,
    /// Nothing is synced: for tmpfs, and for what can be published again. Atomic all the same, while the power is on.
    None,
}

impl Durability {
    /// Says whether each file and directory is synced by itself.
    pub(crate) fn syncs_each(self) -> bool {
        match self {
            Self::PerFile => true,
            Self::Filesystem => !platform::SYNCS_FILESYSTEMS,
            Self::None => false,
        }
    }
}

/// How a directory is published: made with [`Options::new`], used with [`Options::open`].
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) retain: Duration,
    pub(crate) durability: Durability,
    pub(crate) directory: Attributes,
}

impl Options {
    /// Chooses the defaults: superseded generations stay for 60 seconds, durability is
    /// [`Filesystem`](Durability::Filesystem), directories get mode 0700 and no change of owner.
    pub fn new() -> Self {
        Self {
            retain: Duration::from_secs(60),
            durability: Durability::default(),
            directory: Attributes::with_mode(Mode::OWNER_ONLY),
        }
    }

    /// Sets how long, at least, a superseded generation stays, counted from the flip. Zero removes it at the flip.
    #[must_use]
    pub fn retain(mut self, retain: Duration) -> Self {
        self.retain = retain;
        self
    }

    /// Sets what is synced before and after the flip.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets mode and owner of the generation's directory and of every directory in it.
    ///
    /// A mode without `0500` keeps whoever publishes, unless he is root, from comparing with, superseding and removing what
    /// he has published; and so does a file's mode without `0400` from comparing.
    #[must_use]
    pub fn directory(mut self, attributes: Attributes) -> Self {
        self.directory = attributes;
        self
    }

    /// Opens the directory that holds the link (step 1), making it and its parents where they are missing.
    ///
    /// # Errors
    ///
    /// A path that ends in no name or too long a one, a parent that cannot be opened or made, and a parent that
    /// everyone can write to without being sticky.
    pub fn open(self, link: impl AsRef<Path>) -> Result<AtomicDir> {
        let link = link.as_ref();
        let (parent, name) = split(link)?;
        let parent = Parent::open_or_make(parent, self.durability)?;
        Ok(AtomicDir { parent, link: name, options: self })
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes the path of a link apart.
pub(crate) fn split(link: &Path) -> Result<(PathBuf, LinkName)> {
    LinkName::split(link).map_err(|why| Error::refuse(Step::Validate, "publish at", link, why.into()))
}
