//! The errors: each has a step, a path and a cause.
//!
//! A cause is either an [`io::Error`] of the system, which keeps its kind, or a [`Refusal`] of this crate. Messages
//! name paths, users and modes, never the contents of a file.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::{NameError, Replaceable, Step};

/// The result type of this crate. It is not public, because a glob import would hide the standard one.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// An error: the step that failed, its path, and the cause.
///
/// `Display` prints the step, the action and the path. The cause is the error's [`source`](StdError::source), so a
/// program that prints the chain says each thing once. The cause of a failed system call is an [`io::Error`] that keeps
/// its kind; see [`io_error`](Self::io_error).
///
/// The published set is unchanged, except in the cases of [`is_after_flip`](Self::is_after_flip).
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

/// The cause: a failed system call, or a refusal of this crate.
#[derive(Debug)]
enum Cause {
    Io(io::Error),
    Refusal(Refusal),
}

/// A reason why this crate refuses to go on. The published set is unchanged.
///
/// No system call reports these problems, and going on would make them worse. It could remove files of others, publish
/// where no reader looks, or trust a file that others can replace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Another run holds the lock.
    #[error("another run holds the lock")]
    Busy,
    /// Another process keeps the set current.
    #[error("another process already keeps it current")]
    Kept,
    /// The name is not valid for a link or a file.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The path of the link is not a symbolic link.
    #[error("it is {0}, not a symbolic link")]
    NotALink(&'static str),
    /// The link points to something that is not a generation of this crate.
    #[error("it points to `{}`, which is not one of its generations", .0.display())]
    PointsElsewhere(PathBuf),
    /// Another process has put something there since the last check.
    #[error("another process has put something there meanwhile")]
    Appeared,
    /// Another user could replace the link, or the target of a path.
    #[error(transparent)]
    Replaceable(Replaceable),
    /// Everyone may write to the parent, and it is not sticky.
    #[error("everyone can write to it (mode {0:04o}), so anyone could replace the link")]
    WritableByEveryone(u32),
    /// Another process has removed the link since the last check.
    #[error("the link was removed meanwhile")]
    Vanished,
    /// The name now belongs to another file or directory than the one that was made.
    #[error("another process has replaced it")]
    Swapped,
    /// The path of the parent now leads to another directory.
    #[error("its path now leads to another place: it was renamed, or something was mounted over it")]
    Moved,
    /// The generation has no record that this crate made it.
    #[error("there is no record that it was made here")]
    NotOnRecord,
    /// The directory holds more names than one run removes.
    #[error("it is still not empty after {0} names were removed")]
    TooMuch(usize),
    /// A file or directory under one of our names belongs to another user.
    #[error("it belongs to user {owner}, not to the current user {user}")]
    NotOurs {
        /// The user who owns it.
        owner: u32,
        /// The current user.
        user: u32,
    },
    /// The lock is not a regular file with exactly one name.
    #[error("it is not a regular file with exactly one name")]
    NotALockFile,
    /// The generation is not a directory on the filesystem of its parent.
    #[error("it is not a directory on the filesystem of its parent")]
    NotAGeneration,
    /// A file under one of our names has a type that this crate does not make there.
    #[error("no file of its type is made under this name")]
    NotOfOurMaking,
    /// The file at the name of the stamp is not a regular file with exactly one name.
    #[error("it is {0}, not a file that was made here")]
    NotAStamp(&'static str),
    /// Changing the owner of a file needs a privilege that this process lacks.
    #[error("giving files to {who} needs root or {capability}")]
    NeedsPrivilege {
        /// The user or group that should own the files.
        who: String,
        /// The missing capability.
        capability: &'static str,
    },
    /// The user or group does not exist in the user namespace of this process.
    #[error("the user or group is not mapped into this user namespace")]
    NotMapped,
    /// A file could not be written, so the set is not complete.
    #[error("it could not be written, so the set would not be complete")]
    Incomplete,
    /// The lock file was removed while it was locked, so another run may be in progress.
    #[error("it was removed while it was locked, so another run may be in progress")]
    LockRemoved,
    /// The umask removes the owner's permissions from a new directory.
    #[error("the umask removes the permissions of the owner")]
    Umask,
    /// The note is longer than the limit.
    #[error("it is longer than {0} bytes")]
    NoteTooLong(u64),
    /// The link kept changing during the attempts, or another process holds its generation locked.
    #[error("it could not be pinned in {0} attempts")]
    NotPinned(u32),
}

impl Error {
    /// Makes an error of a refusal. The message reads: cannot, then the action, then the path.
    pub(crate) fn refuse(step: Step, action: &'static str, path: impl Into<PathBuf>, why: Refusal) -> Self {
        Self { step, action, path: path.into(), cause: Cause::Refusal(why), after_flip: false }
    }

    /// Marks an error as found after the flip.
    pub(crate) fn after_flip(self) -> Self {
        Self { after_flip: true, ..self }
    }

    /// Returns the step that failed.
    pub fn step(&self) -> Step {
        self.step
    }

    /// Returns the path that the step failed at, for messages. It is relative if the path of the link was. Something
    /// else may be there by the time that you read it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the system's error, if a system call failed. It has the kind and the number of that call.
    pub fn io_error(&self) -> Option<&io::Error> {
        match &self.cause {
            Cause::Io(error) => Some(error),
            Cause::Refusal(_) => None,
        }
    }

    /// Returns whether another run or keeper holds the lock. If so, wait and try again.
    pub fn is_busy(&self) -> bool {
        matches!(self.refusal(), Some(Refusal::Busy | Refusal::Kept))
    }

    /// Returns whether the link names the new set, but a power cut might undo that (step 10).
    ///
    /// The set is complete and readers see it. The next run that takes the lock makes it durable, or reports the same
    /// error again.
    pub fn is_unsettled(&self) -> bool {
        self.step == Step::Settle
    }

    /// Returns whether the link was flipped before this error, so the old set is no longer current.
    ///
    /// Either the error [is unsettled](Self::is_unsettled), or readers do not find the new set at its path. The latter
    /// happens if another process has moved the generation, or the directory that holds the link.
    pub fn is_after_flip(&self) -> bool {
        self.after_flip || self.is_unsettled()
    }

    /// Returns whether the system denied permission.
    pub fn is_denied(&self) -> bool {
        self.io_error().is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    }

    /// Returns whether the path, or a part of it, is missing. Functions that expect this return `None` instead.
    pub fn is_not_found(&self) -> bool {
        self.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// Returns the refusal, if this crate refused to go on.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.cause {
            Cause::Io(_) => None,
            Cause::Refusal(refusal) => Some(refusal),
        }
    }

    /// Returns what the user can do about the error, if anything: half a sentence, without a full stop.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.cause {
            Cause::Refusal(refusal) => refusal.hint(),
            Cause::Io(error) => io_hint(error.kind()),
        }
    }
}

impl Refusal {
    /// Returns what the user can do about a refusal.
    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Busy => "wait until it ends, or raise the time that this run waits",
            Self::Kept => "stop that process first: only one is needed",
            Self::NotALink(_) | Self::PointsElsewhere(_) => "move it away, or publish under a different name",
            Self::NotAStamp(_) => "move it away, or give the stamp another name",
            Self::Replaceable(_) => {
                "publish below a directory that only root can write to, such as /run/secretdir, and let `owner` give the files to \
                 their reader; if you trust everyone who can write there, set `parents = \"trusted\"`"
            }
            Self::Swapped | Self::Moved => {
                "find out who did that; the files that are published there were not changed"
            }
            Self::Vanished => {
                "if that was intended, run again: the set is then published as for the first time"
            }
            Self::NotOnRecord => "inspect it, and remove it by hand if it is not needed",
            Self::WritableByEveryone(_) => "remove the permission (chmod o-w), or choose another parent",
            Self::NotOurs { owner: 0, .. } => {
                "run as root, or have root remove it once if only you publish here"
            }
            Self::NotOurs { .. } => "run as that user, or remove it by hand if it is not needed",
            Self::NotALockFile | Self::NotAGeneration | Self::NotOfOurMaking => {
                "this name is reserved for generations, notes and locks; move it away"
            }
            Self::NeedsPrivilege { .. } => "run as root, or omit the owner",
            Self::NotMapped => {
                "map it into the namespace of this container (subuid, subgid), or omit the owner"
            }
            Self::Umask => "use a umask that keeps the owner's bits, such as 077",
            Self::LockRemoved => "never remove the lock: it is released when its run ends",
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

/// Returns what the user can do about an error of the system.
fn io_hint(kind: io::ErrorKind) -> Option<&'static str> {
    Some(match kind {
        io::ErrorKind::StorageFull => "the filesystem is full: free blocks or inodes",
        io::ErrorKind::QuotaExceeded => "the quota on this filesystem is used up",
        io::ErrorKind::ReadOnlyFilesystem => "the filesystem is mounted read-only",
        io::ErrorKind::PermissionDenied => {
            "the current user may not do that there: check the owner, group and mode of the path and of the folders above it"
        }
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

/// Adds the step, the action and the path to a failed system call.
pub(crate) trait At<T> {
    /// The action completes the message after "cannot", such as `open` or `set the mode of`.
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
