//! What is chosen once for a directory.
//!
//! All that a run depends on besides its arguments and the filesystem is here, the clock and the randomness included. So a
//! test can have both under its control, and whoever embeds this crate has no hidden ones to look for.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::clock::Clock;
use crate::generation::Generation;
use crate::locked::find_lock;
use crate::names::LOCK;
use crate::parent::Parent;
use crate::platform;
use crate::random::Random;
use crate::state::State;
use crate::trust::Parents;
use crate::{AtomicDir, Attributes, Error, FileName, LinkName, Mode, Result, Step};

/// How much of a publish is on disk before the link flips, and when publishing returns.
///
/// The flip is atomic with each: at no moment does a reader see anything but a complete set. This is about power cuts and
/// kernel panics alone, and as good as the promise of the filesystem and the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// One `syncfs` before the flip. Everything else that waits on that filesystem is written too.
    ///
    /// Needs Linux 5.8 to notice every failure. Elsewhere each file is synced as with [`PerFile`](Self::PerFile).
    #[default]
    Filesystem,
    /// One `fsync` for each file and directory before the flip: as durable, for disks with much other traffic.
    PerFile,
    /// Nothing is synced: for tmpfs, and for what can be published again. Atomic all the same, while the power is on.
    ///
    /// After a power cut on a disk, the link may name files of length 0.
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
///
/// Two publishers of one link need not have the same options. Each retires by its own retention, and finds attributes that
/// it did not choose different from what it wants.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let link = folder.path().join("app");
/// use atomicdir::{Durability, Options};
/// use std::time::Duration;
///
/// let options = Options::new().retain(Duration::from_secs(60)).durability(Durability::None);
/// let mut locked = options.open(&link)?.try_lock()?;
/// assert!(locked.current().is_none());
/// locked.stage()?.publish(None)?;
/// assert!(locked.current().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) retain: Duration,
    pub(crate) durability: Durability,
    pub(crate) directory: Attributes,
    pub(crate) parents: Parents,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
}

impl Options {
    /// How long a superseded generation stays unless chosen otherwise. Programs that cache paths go on using it for a while:
    /// PHP does for 120 seconds by default.
    pub const RETAIN: Duration = Duration::from_secs(5 * 60);

    /// Chooses the defaults:
    ///
    /// | option | default |
    /// |---|---|
    /// | [`retain`](Self::retain) | 5 minutes |
    /// | [`durability`](Self::durability) | [`Durability::Filesystem`] |
    /// | [`directory`](Self::directory) | mode 0700, no change of owner |
    /// | [`parents`](Self::parents) | [`Parents::Strict`] |
    /// | [`clock`](Self::clock) | [`SystemTime::now`] |
    /// | [`random`](Self::random) | the operating system's |
    pub fn new() -> Self {
        Self {
            retain: Self::RETAIN,
            durability: Durability::default(),
            directory: Attributes::with_mode(Mode::OWNER_ONLY),
            parents: Parents::Strict,
            clock: Clock::default(),
            random: Random::default(),
        }
    }

    /// Sets how long, at least, a superseded generation stays, counted from the flip. Zero removes it at the flip.
    ///
    /// Nothing removes it but a later run, and no run removes what a reader has pinned: old files may stay for longer.
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

    /// Sets the clock that ages are counted with, and that the times on disk are taken from.
    ///
    /// It is asked at the moment that counts: once the lock is held, at the flip, and before anything is retired. It may go
    /// back; a generation that was superseded in the future by then counts as due. Nothing else reads a clock.
    #[must_use]
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock::new(now);
        self
    }

    /// Sets the randomness that the names of generations are made of: a function that fills a buffer with it.
    ///
    /// The names have to be new, not secret. So a generator that is seeded, in a test for example, does no harm, as long as
    /// it does not repeat itself: a name that is taken is tried again with other randomness, 100 times.
    #[must_use]
    pub fn random(mut self, fill: impl Fn(&mut [u8]) -> io::Result<()> + Send + Sync + 'static) -> Self {
        self.random = Random::new(fill);
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
        Ok(self.with(parent, name))
    }

    /// Finds out whether a run would refuse the link or the directories that lead to it, and makes nothing.
    ///
    /// What it does not find out: whether the disk has room, whether somebody holds the lock, and whatever changes until
    /// the run.
    ///
    /// # Errors
    ///
    /// What [`open`](Self::open) and [`try_lock`](AtomicDir::try_lock) would refuse, and a parent that this process may not write
    /// to. One that is not there is fine if it can be made.
    pub fn inspect(self, link: impl AsRef<Path>) -> Result<()> {
        let (parent, name) = split(link.as_ref())?;
        let Some(parent) = Parent::open_as_run(parent, self.parents)? else { return Ok(()) };
        let dir = self.with(parent, name);
        if let Some(current) = dir.read_link()? {
            Generation::open_if_ours(&dir, Step::Compare, &current)?;
        }
        if let Some(state) = State::open(&dir, Step::Lock)? {
            state.ensure_ours()?;
            find_lock(&state, LOCK)?;
        }
        dir.parent.ensure_writable()
    }

    /// Finds out whether [`touch`](AtomicDir::touch) would refuse what is in the place of the stamp, and makes nothing.
    ///
    /// # Errors
    ///
    /// What it would refuse. A parent that is not there is fine.
    pub fn inspect_stamp(self, link: impl AsRef<Path>, stamp: &FileName) -> Result<()> {
        let (parent, name) = split(link.as_ref())?;
        let parent = Parent::open_as_run(parent, self.parents)?;
        parent.map_or(Ok(()), |parent| self.with(parent, name).ensure_touchable(stamp))
    }

    /// Puts what was opened and what was chosen together.
    pub(crate) fn with(self, parent: Parent, link: LinkName) -> AtomicDir {
        AtomicDir { parent: Arc::new(parent), link, options: self }
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
