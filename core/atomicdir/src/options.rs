//! What is chosen once for a directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::parent::Parent;
use crate::platform;
use crate::state::State;
use crate::trust::Parents;
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
    pub(crate) parents: Parents,
}

impl Options {
    /// How long a superseded generation stays unless chosen otherwise. Programs that cache paths go on using it for a while:
    /// PHP does for 120 seconds by default.
    pub const RETAIN: Duration = Duration::from_secs(5 * 60);

    /// Chooses the defaults: superseded generations stay for 5 minutes, durability is
    /// [`Filesystem`](Durability::Filesystem), directories get mode 0700 and no change of owner, and the
    /// directories that lead to the link are examined ([`Parents::Strict`]).
    pub fn new() -> Self {
        Self {
            retain: Self::RETAIN,
            durability: Durability::default(),
            directory: Attributes::with_mode(Mode::OWNER_ONLY),
            parents: Parents::Strict,
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
    /// A mode without `0500` keeps whoever publishes, unless they are root, from comparing with, superseding and removing what
    /// they have published; and so does a file's mode without `0400` from comparing.
    #[must_use]
    pub fn directory(mut self, attributes: Attributes) -> Self {
        self.directory = attributes;
        self
    }

    /// Sets whether the directories that lead to the link are examined.
    #[must_use]
    pub fn parents(mut self, parents: Parents) -> Self {
        self.parents = parents;
        self
    }

    /// Opens the directory that holds the link (step 1), making it and its parents where they are missing.
    ///
    /// # Errors
    ///
    /// A path that ends in no name or too long a one, a parent that cannot be opened or made, and, unless the parents are
    /// trusted, [`Refusal::Replaceable`](crate::Refusal::Replaceable): somebody else could replace the link.
    pub fn open(self, link: impl AsRef<Path>) -> Result<AtomicDir> {
        let (parent, name) = split(link.as_ref())?;
        let parent = Parent::open_or_make(parent, self.parents, self.durability)?;
        Ok(AtomicDir { parent, link: name, options: self })
    }

    /// Finds out whether a run would refuse the link or the directories that lead to it, and makes nothing.
    ///
    /// # Errors
    ///
    /// What [`open`](Self::open) and [`try_lock`](AtomicDir::try_lock) would refuse, and a parent that this process may not write
    /// to. One that is not there is fine if it can be made.
    pub fn inspect(self, link: impl AsRef<Path>) -> Result<()> {
        let (parent, name) = split(link.as_ref())?;
        let Some(parent) = Parent::open_as_run(parent, self.parents)? else { return Ok(()) };
        let dir = AtomicDir { parent, link: name, options: self };
        dir.read_link()?;
        if let Some(state) = State::open(&dir, Step::Lock)? {
            state.ensure_ours()?;
        }
        dir.parent.ensure_writable()
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
