//! The options of a directory.
//!
//! They hold everything that a run depends on, besides its arguments and the filesystem. This includes the clock and
//! the randomness. So a test can control both, and a program that embeds this crate finds no hidden ones.

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
/// The flip is always atomic: readers only ever see a complete set. Durability only matters at power cuts and kernel
/// panics. It is only as good as the guarantees of the filesystem and the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// One `syncfs` before the flip. It also writes all other pending data of that filesystem.
    ///
    /// Needs Linux 5.8 to notice every failure. Other systems sync each file, as with [`PerFile`](Self::PerFile).
    #[default]
    Filesystem,
    /// One `fsync` for each file and directory before the flip. As durable as `Filesystem`, and better for disks with
    /// much other traffic.
    PerFile,
    /// Nothing is synced. For tmpfs, and for files that can be published again. The flip is still atomic while the
    /// power is on.
    ///
    /// After a power cut on a disk, the link may name files of length 0.
    None,
}

impl Durability {
    /// Returns whether each file and directory is synced on its own.
    pub(crate) fn syncs_each(self) -> bool {
        match self {
            Self::PerFile => true,
            Self::Filesystem => !platform::SYNCS_FILESYSTEMS,
            Self::None => false,
        }
    }
}

/// Options for publishing a directory: made with [`Options::new`], used with [`Options::open`].
///
/// Two publishers of one link may have different options. Each retires by its own retention. Each reports a difference
/// if attributes are not those of its own options.
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
    /// The default time that a superseded generation stays. Programs that cache paths keep using it for a while: PHP
    /// does for 120 seconds by default.
    pub const RETAIN: Duration = Duration::from_secs(5 * 60);

    /// Returns the default options:
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

    /// Sets the minimum time that a superseded generation stays, counted from the flip. Zero removes it at the flip.
    ///
    /// Only a later run removes it, and no run removes a generation that a reader has pinned. So old files may stay
    /// longer.
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

    /// Sets the mode and owner of the generation's directory and of every directory in it.
    ///
    /// Without `0500` in this mode, a publisher that is not root cannot compare, supersede or remove what it has
    /// published. Without `0400` in the mode of a file, it cannot compare.
    #[must_use]
    pub fn directory(mut self, attributes: Attributes) -> Self {
        self.directory = attributes;
        self
    }

    /// Sets whether the directories that lead to the link are checked.
    #[must_use]
    pub fn parents(mut self, parents: Parents) -> Self {
        self.parents = parents;
        self
    }

    /// Sets the clock for ages and for the times on disk.
    ///
    /// It is read when the time is needed: once the lock is held, at the flip, and before generations are retired. It
    /// may go back: a generation whose superseded time is in the future counts as due. The crate reads no other clock.
    #[must_use]
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock::new(now);
        self
    }

    /// Sets the source of randomness for the names of generations: a function that fills a buffer.
    ///
    /// The names must be new, not secret. So a seeded generator, for example in a test, is safe if it does not repeat
    /// itself. If a name is taken, another one is tried, up to 100 in all.
    #[must_use]
    pub fn random(mut self, fill: impl Fn(&mut [u8]) -> io::Result<()> + Send + Sync + 'static) -> Self {
        self.random = Random::new(fill);
        self
    }

    /// Opens the directory that holds the link (step 1). Missing directories of its path are made.
    ///
    /// # Errors
    ///
    /// The path has no last component, or its name is too long. The parent cannot be opened or made. Another user could
    /// replace the link ([`Refusal::Replaceable`](crate::Refusal::Replaceable)), unless the parents are trusted.
    pub fn open(self, link: impl AsRef<Path>) -> Result<AtomicDir> {
        let (parent, name) = split(link.as_ref())?;
        let parent = Parent::open_or_make(parent, self.parents, self.durability)?;
        Ok(self.with(parent, name))
    }

    /// Checks whether a run would refuse the link or the directories that lead to it. It makes nothing.
    ///
    /// It cannot predict whether the disk has room, whether another run holds the lock, or what changes before the run.
    ///
    /// # Errors
    ///
    /// The refusals of [`open`](Self::open) and [`try_lock`](AtomicDir::try_lock), and a parent that this process may
    /// not write to. A missing parent is no error if it can be made.
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

    /// Checks whether [`touch`](AtomicDir::touch) would refuse the file at the name of the stamp. It makes nothing.
    ///
    /// # Errors
    ///
    /// The refusals of `touch`. A missing parent is no error.
    pub fn inspect_stamp(self, link: impl AsRef<Path>, stamp: &FileName) -> Result<()> {
        let (parent, name) = split(link.as_ref())?;
        let parent = Parent::open_as_run(parent, self.parents)?;
        parent.map_or(Ok(()), |parent| self.with(parent, name).ensure_touchable(stamp))
    }

    /// Combines these options with an open parent and the name of the link.
    pub(crate) fn with(self, parent: Parent, link: LinkName) -> AtomicDir {
        AtomicDir { parent: Arc::new(parent), link, options: self }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// Splits the path of a link into its directory and its name.
pub(crate) fn split(link: &Path) -> Result<(PathBuf, LinkName)> {
    LinkName::split(link).map_err(|why| Error::refuse(Step::Validate, "publish at", link, why.into()))
}
