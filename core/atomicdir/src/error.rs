//! What can go wrong: always a step, a path and a cause.
//!
//! A failure is either the system's, an [`io::Error`] that keeps its kind, or a [`Refusal`] of our own. Texts name paths,
//! users and modes, never what a file holds.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::{NameError, Replaceable, Step};

/// The result of this crate's functions. Not public: a glob import would hide the standard one.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// A step that failed, the path it was at, and why.
///
/// `Display` says which step could not do what to which path; the cause is the error's [`source`](StdError::source),
/// so that whoever prints the chain says each thing once. The cause of a failed system call is an [`io::Error`] that
/// keeps its kind; see [`io_error`](Self::io_error).
///
/// What was published before is untouched, with the exceptions that [`is_after_flip`](Self::is_after_flip) tells.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let link = folder.path().join("app");
/// use atomicdir::Options;
///
/// let dir = Options::new().open(&link)?;
/// let held = dir.try_lock()?;
/// assert!(dir.try_lock().unwrap_err().is_busy());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Error {
    step: Step,
    action: &'static str,
    path: PathBuf,
    cause: Cause,
    after_flip: bool,
}

/// Whose reason it is.
#[derive(Debug)]
enum Cause {
    Io(io::Error),
    Refusal(Refusal),
}

/// A reason of our own not to go on. What is published has not been touched.
///
/// Each is something that no system call reports, and that going on would make worse: it would remove what is not ours,
/// publish where nobody looks, or trust what somebody else can replace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Another run holds the lock.
    #[error("another run holds the lock")]
    Busy,
    /// Another process keeps the set current.
    #[error("another process keeps it current")]
    Kept,
    /// A name that cannot be a link's or a file's.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Something that is not a symbolic link stands where the link belongs.
    #[error("it is {0}, not a symbolic link")]
    NotALink(&'static str),
    /// The link names something that is not a generation of ours.
    #[error("it points to `{}`, which is not a generation made by atomicdir", .0.display())]
    PointsElsewhere(PathBuf),
    /// Somebody put something there since we looked.
    #[error("something else appeared there meanwhile")]
    Appeared,
    /// Somebody else could replace the link, or what a path leads to.
    #[error(transparent)]
    Replaceable(Replaceable),
    /// Everyone may write to the parent, and it is not sticky.
    #[error("everyone can write to it (mode {0:04o}), so anyone could replace the link")]
    WritableByEveryone(u32),
    /// Somebody removed the link since we looked.
    #[error("the link was removed meanwhile")]
    Vanished,
    /// What is found is not what was made there a moment before.
    #[error("somebody has put something else in its place")]
    Swapped,
    /// The path of the parent leads elsewhere by now.
    #[error("its path leads elsewhere by now: it was renamed, or something was mounted over it")]
    Moved,
    /// A generation is not on record as made here.
    #[error("there is no record that says that it was made here")]
    NotOnRecord,
    /// There is more to remove than one run does.
    #[error("it holds something still after {0} names were removed")]
    TooMuch(usize),
    /// A file or directory of our naming belongs to somebody else.
    #[error("it belongs to user {owner}, not to user {user}, who runs this")]
    NotOurs {
        /// Who owns it.
        owner: u32,
        /// Who runs this.
        user: u32,
    },
    /// The lock is not a regular file with one name.
    #[error("it is not a regular file with exactly one name")]
    NotALockFile,
    /// A generation is not a directory on the parent's own filesystem.
    #[error("it is not a directory on the filesystem of its parent")]
    NotAGeneration,
    /// A name of ours is of a kind that we do not make.
    #[error("it is of a kind that is never made under this name")]
    NotOfOurMaking,
    /// What is in the place of a stamp is no file of one name.
    #[error("it is {0}, not a file that was made here")]
    NotAStamp(&'static str),
    /// Giving a file away needs a privilege that this process lacks.
    #[error("giving files to {who} needs root or {capability}")]
    NeedsPrivilege {
        /// Whom files are to be given to.
        who: String,
        /// What is missing.
        capability: &'static str,
    },
    /// There is no such user or group in the user namespace that this process is in.
    #[error("the user or group is not mapped into this user namespace")]
    NotMapped,
    /// A file could not be written, so the set is not complete.
    #[error("it could not be written, so the set would not be complete")]
    Incomplete,
    /// Somebody removed the lock, so another run may be under way.
    #[error("it was removed while it was held, so another run may be under way")]
    LockRemoved,
    /// The umask takes the owner's own permissions from a new directory.
    #[error("the umask takes the owner's permissions away")]
    Umask,
    /// A note is longer than any that was ever written here.
    #[error("it is longer than {0} bytes")]
    NoteTooLong(u64),
    /// The link kept changing under a reader, or somebody holds its generation locked.
    #[error("it could not be pinned in {0} attempts")]
    NotPinned(u32),
}

impl Error {
    /// Makes an error of a reason of our own. The action reads on from "cannot".
    pub(crate) fn refuse(step: Step, action: &'static str, path: impl Into<PathBuf>, why: Refusal) -> Self {
        Self { step, action, path: path.into(), cause: Cause::Refusal(why), after_flip: false }
    }

    /// Marks what was found out only after the flip.
    pub(crate) fn after_flip(self) -> Self {
        Self { after_flip: true, ..self }
    }

    /// Returns the step that failed.
    pub fn step(&self) -> Step {
        self.step
    }

    /// Returns the path that it failed at, relative if the link's was: for messages. By the time that somebody reads it,
    /// something else may be there.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the system's error, if a system call failed. Its kind and its number are those of the call.
    pub fn io_error(&self) -> Option<&io::Error> {
        match &self.cause {
            Cause::Io(error) => Some(error),
            Cause::Refusal(_) => None,
        }
    }

    /// Says whether somebody else holds the lock: to wait and try again is all that it takes.
    pub fn is_busy(&self) -> bool {
        matches!(self.refusal(), Some(Refusal::Busy | Refusal::Kept))
    }

    /// Says whether the link names the new set, but it is not known whether that would survive a power cut (step 10).
    ///
    /// The set is complete and readers see it. The next run that takes the lock makes it durable, or says so again.
    pub fn is_unsettled(&self) -> bool {
        self.step == Step::Settle
    }

    /// Says whether the link had been flipped by then: what was published before is not current any more.
    ///
    /// Either it [is unsettled](Self::is_unsettled), or readers do not find the new set where they look for it, because
    /// somebody moved the directory that holds the link, or the generation.
    pub fn is_after_flip(&self) -> bool {
        self.after_flip || self.is_unsettled()
    }

    /// Says whether the system denied permission.
    pub fn is_denied(&self) -> bool {
        self.io_error().is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    }

    /// Says whether the path, or a part of it, is not there. Where that is an expected answer it is `None` instead.
    pub fn is_not_found(&self) -> bool {
        self.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// Returns our own reason not to go on, if that is what it was.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.cause {
            Cause::Io(_) => None,
            Cause::Refusal(refusal) => Some(refusal),
        }
    }

    /// Returns what a person can do about it, where there is something: half a sentence, without a full stop.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.cause {
            Cause::Refusal(refusal) => refusal.hint(),
            Cause::Io(error) => io_hint(error.kind()),
        }
    }
}

impl Refusal {
    /// Returns what a person can do about a refusal.
    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Busy => "wait for it to end, or wait longer for it",
            Self::Kept => "one is enough: end that one first",
            Self::NotALink(_) | Self::PointsElsewhere(_) => "move it away, or publish under another name",
            Self::NotAStamp(_) => "move it away, or give the stamp another name",
            Self::Replaceable(_) => {
                "publish below a directory that only root can write to, such as /run/secretdir, and let `owner` give the files to \
                 their reader; if you trust whoever can write there, set `parents = \"trusted\"`"
            }
            Self::Swapped | Self::Moved => {
                "find out who did that; what is published there has not been touched"
            }
            Self::Vanished => "if that was meant, run again: the set is published as for the first time",
            Self::NotOnRecord => "look at it, and remove it by hand if nobody needs it",
            Self::WritableByEveryone(_) => "take the permission away (chmod o-w), or choose another parent",
            Self::NotOurs { owner: 0, .. } => {
                "run it as root, or let root remove it once if only you publish here"
            }
            Self::NotOurs { .. } => "run as that user, or remove it by hand if nobody needs it",
            Self::NotALockFile | Self::NotAGeneration | Self::NotOfOurMaking => {
                "nothing but atomicdir should make this name; move it away"
            }
            Self::NeedsPrivilege { .. } => "run as root, or leave the owner out",
            Self::NotMapped => {
                "map it into the namespace of this container (subuid, subgid), or leave the owner out"
            }
            Self::Umask => "use a umask that keeps the owner's bits, such as 077",
            Self::LockRemoved => "never remove the lock: it is free as soon as nobody holds it",
            Self::Name(_)
            | Self::Appeared
            | Self::Incomplete
            | Self::NoteTooLong(_)
            | Self::NotPinned(_)
            | Self::TooMuch(_) => {
                return None;
            }
        })
    }
}

/// Returns what a person can do about an error of the system.
fn io_hint(kind: io::ErrorKind) -> Option<&'static str> {
    Some(match kind {
        io::ErrorKind::StorageFull => "the filesystem is full: free blocks or inodes",
        io::ErrorKind::QuotaExceeded => "the quota on this filesystem is used up",
        io::ErrorKind::ReadOnlyFilesystem => "the filesystem is mounted read-only",
        io::ErrorKind::PermissionDenied => "who runs this may not do that here",
        io::ErrorKind::NotADirectory => "a part of the path is a file",
        _ => return None,
    })
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} `{}` ({})", self.action, self.path.display(), self.step)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.cause {
            Cause::Io(error) => Some(error),
            Cause::Refusal(refusal) => Some(refusal),
        }
    }
}

/// Gives a failed system call its step, its action and its path.
pub(crate) trait At<T> {
    /// The action reads on from "cannot": `open`, `set the mode of`.
    fn at(self, step: Step, action: &'static str, path: impl Into<PathBuf>) -> Result<T>;
}

impl<T, E: Into<io::Error>> At<T> for std::result::Result<T, E> {
    fn at(self, step: Step, action: &'static str, path: impl Into<PathBuf>) -> Result<T> {
        self.map_err(|error| {
            let cause = Cause::Io(error.into());
            Error { step, action, path: path.into(), cause, after_flip: false }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_after_the_flip_says_so() {
        let failed = |step| Err::<(), _>(rustix::io::Errno::IO).at(step, "sync", "x").unwrap_err();
        let says = |error: &Error| (error.is_unsettled(), error.is_after_flip());
        assert_eq!(says(&failed(Step::Settle)), (true, true));
        assert_eq!(says(&failed(Step::Flip)), (false, false));
        assert_eq!(says(&failed(Step::Flip).after_flip()), (false, true));
        assert!(!failed(Step::Lock).is_busy());
    }
}
