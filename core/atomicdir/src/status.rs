//! The status of a link, for people and monitors. Takes no lock and changes nothing.
//!
//! Only the files of the current generation are inspected: one call for each file, and none is opened. A superseded
//! generation is reported with its name, age and pin. That takes the same few calls, however many files it has.

use std::path::Path;
use std::time::SystemTime;

use crate::parent::Parent;
use crate::{Id, Options, Result, options};

/// The status of a link.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let link = folder.path().join("app");
/// use atomicdir::Status;
///
/// atomicdir::fill(&link, |staging| staging.write("db/password", "hunter2"))?;
/// let current = Status::of(&link)?.current.expect("a set is published");
/// assert_eq!(current.files[0].name, "db/password");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Status {
    /// The generation that the link names.
    pub current: Option<GenerationStatus>,
    /// Generations that the link no longer names, but that still exist. They are not sorted by age.
    pub superseded: Vec<SupersededStatus>,
    /// Leftovers of a run that did not finish, or the work so far of a run in progress. Only a process with the lock
    /// can tell the two apart.
    pub unfinished: Vec<Id>,
    /// When a run last succeeded, even if it found nothing to change. Use this, and not the age of the current
    /// generation, to check that a process still keeps the set current.
    pub last_success: Option<SystemTime>,
    /// The text that the keeper recorded. None if no process keeps the set current, or if this user may not read it.
    pub keeper: Option<Vec<u8>>,
    /// How much of the status this user may see.
    pub view: View,
}

/// Whether the list of a generation's files is complete. A listing ends after 1,048,576 names, and does not go deeper
/// than a published file can be. Neither limit makes it partial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// All files are listed.
    Complete,
    /// This user may not list the generation, or a directory in it.
    Partial,
}

/// How much of the status this user may see. A monitor that runs as a reader cannot tell "never succeeded" from "not
/// shown", so it should check this first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum View {
    /// Everything.
    #[default]
    Full,
    /// The view of a reader. It has no notes and no time of the last success. Files are missing if the reader may not
    /// list their directory.
    Reader,
}

/// The generation that the link names.
#[derive(Debug)]
#[non_exhaustive]
pub struct GenerationStatus {
    /// The ID of the generation.
    pub id: Id,
    /// When it was published, by the clock of the run that published it.
    pub since: SystemTime,
    /// Whether a reader holds it.
    pub pin: Pin,
    /// Its files, as far as this user may list them.
    pub files: Vec<FileStatus>,
    /// Whether the list of files is complete.
    pub listing: Listing,
    /// Its note. None if this user may not read it ([`View::Reader`]), or if there is none.
    pub note: Option<Vec<u8>>,
}

/// A generation that the link no longer names.
#[derive(Debug)]
#[non_exhaustive]
pub struct SupersededStatus {
    /// The ID of the generation.
    pub id: Id,
    /// When it was superseded, by the clock of the run that did so.
    pub since: SystemTime,
    /// Whether a reader holds it. A pinned generation is not removed.
    pub pin: Pin,
}

/// Whether a process holds a generation, and so keeps it from being removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pin {
    /// No process held it at the moment of the check. One may hold it by now.
    Free,
    /// A reader holds it, or another process that may open it has locked it. So does the run that publishes it, until
    /// the run ends, and another status at the same moment.
    Pinned,
    /// Unknown, because this user may not open it.
    Unknown,
}

/// One published file: the attributes that are known without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileStatus {
    /// Its name. The owner of the generation may have added files that were never published. So it may be any name, and
    /// may contain control characters. Files whose names are not UTF-8 are left out.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its permission bits, including the special ones.
    pub mode: u32,
    /// Its owner, by number.
    pub user: u32,
    /// Its group, by number.
    pub group: u32,
}

impl Status {
    /// Returns the status of a link. If the link or its parent is missing, the status is empty.
    ///
    /// If this user may not see everything, the status has the rest, and its view is [`View::Reader`].
    ///
    /// # Errors
    ///
    /// A link that this crate did not make, and any other failure to read.
    pub fn of(link: impl AsRef<Path>) -> Result<Self> {
        Options::new().status(link)
    }
}

impl Options {
    /// Returns the status of a link, as [`Status::of`] does. Only the option [`parents`](Self::parents) matters.
    ///
    /// # Errors
    ///
    /// The same as those of [`Status::of`].
    pub fn status(self, link: impl AsRef<Path>) -> Result<Status> {
        let (parent, name) = options::split(link.as_ref())?;
        let Some(parent) = Parent::open_to_look(parent, self.parents)? else { return Ok(Status::default()) };
        self.with(parent, name).status()
    }
}
