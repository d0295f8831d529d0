//! What is published, for people and monitors. Takes no lock and changes nothing.
//!
//! Only the files of the current generation are looked at. Of a superseded one its name, its age and its pin are told,
//! which takes the same few calls however many files it has. A file of the current one takes one call, and is not opened.

use std::path::Path;
use std::time::SystemTime;

use crate::parent::Parent;
use crate::{Id, Options, Result, options};

/// What is published at a link.
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
    /// Generations that the link no longer names, and that are still there, in no order of age.
    pub superseded: Vec<SupersededStatus>,
    /// What a run that did not finish left behind, or one that is under way has made so far. To tell the two apart takes the
    /// lock.
    pub unfinished: Vec<Id>,
    /// When a run last succeeded, whether or not it found anything to change. This, and not the age of what is current, says
    /// whether somebody still keeps it up.
    pub last_success: Option<SystemTime>,
    /// What the process that keeps the set current says of itself: none if there is no such process, or this user may not look.
    pub keeper: Option<Vec<u8>>,
    /// How much of it this user may see.
    pub view: View,
}

/// Whether all files of a generation are listed. A listing ends after 1,048,576 names, and does not go deeper than a published
/// file can be; that is not told here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// All of them.
    Complete,
    /// This user may not list the generation, or a directory in it.
    Partial,
}

/// How much of what is published this user may see. A monitor that runs as a reader cannot tell "never succeeded" from "not
/// shown", so it should look at this first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum View {
    /// All of it.
    #[default]
    Full,
    /// That of a reader: not the notes, not when a run last succeeded, and no file in a directory that the reader may not list.
    Reader,
}

/// The generation that the link names.
#[derive(Debug)]
#[non_exhaustive]
pub struct GenerationStatus {
    /// What tells it from others.
    pub id: Id,
    /// When it was published, by the clock of the run that did.
    pub since: SystemTime,
    /// Whether somebody reads it.
    pub pin: Pin,
    /// The files in it, as far as this user may list them.
    pub files: Vec<FileStatus>,
    /// Whether these are all.
    pub listing: Listing,
    /// The note beside it: none if this user may not read it ([`View::Reader`]), or if there is none.
    pub note: Option<Vec<u8>>,
}

/// A generation that the link no longer names.
#[derive(Debug)]
#[non_exhaustive]
pub struct SupersededStatus {
    /// What tells it from others.
    pub id: Id,
    /// When it was superseded, by the clock of the run that did.
    pub since: SystemTime,
    /// Whether somebody reads it. Nothing that is pinned is removed.
    pub pin: Pin,
}

/// Whether somebody holds a generation, and so keeps it from being removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pin {
    /// Nobody held it when it was looked at. Somebody may by now.
    Free,
    /// A reader holds it, or whoever else may open it and has locked it. The run that publishes it looks like one until
    /// it ends, and so does another status that is taken at the same moment.
    Pinned,
    /// This user may not open it, and so cannot tell.
    Unknown,
}

/// One published file: what can be told of it without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileStatus {
    /// Its name. The owner of the generation may have put files there that nobody published: so it may be any, and hold
    /// control characters. What is not UTF-8 is left out.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its permission bits.
    pub mode: u32,
    /// Its owner, by number.
    pub user: u32,
    /// Its group, by number.
    pub group: u32,
}

impl Status {
    /// Looks at a link. A parent that is not there, or a link that is not, is an empty status.
    ///
    /// Whoever may not see all is told what they may see, and that it is not all ([`View::Reader`]).
    ///
    /// # Errors
    ///
    /// A link that is not ours, and whatever may not be read.
    pub fn of(link: impl AsRef<Path>) -> Result<Self> {
        Options::new().status(link)
    }
}

impl Options {
    /// Looks at a link, as [`Status::of`] does: of the options only [`parents`](Self::parents) matters.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn status(self, link: impl AsRef<Path>) -> Result<Status> {
        let (parent, name) = options::split(link.as_ref())?;
        let Some(parent) = Parent::open_to_look(parent, self.parents)? else { return Ok(Status::default()) };
        self.with(parent, name).status()
    }
}
