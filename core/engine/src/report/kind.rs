//! The kinds of errors. Like the exit codes, they are part of the public interface.

use schemars::JsonSchema;
use secretdir_provider::SourceErrorKind;
use serde::{Deserialize, Serialize};

/// The kind of an error, as a word for programs. A new minor version may add kinds, but never changes the meaning of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The arguments of the command are wrong.
    Usage,
    /// The configuration, or one of its templates, cannot be read or has errors.
    Configuration,
    /// The configuration names an unknown user or group.
    UnknownOwner,
    /// This machine cannot start a command of the configuration.
    CommandNotStartable,
    /// There is no such provider.
    UnknownProvider,
    /// The file that `init` would write already exists.
    AlreadyThere,

    /// The store answered, and has no such secret or no such version of it.
    NotFound,
    /// The store refuses this secret to this identity (permission denied).
    PermissionDenied,
    /// The credentials are missing, wrong or expired.
    Unauthenticated,
    /// The store throttles the requests.
    Throttled,
    /// The store does not exist, cannot be reached, or cannot answer now.
    Unavailable,
    /// The store did not answer in time.
    TimedOut,
    /// The name or version of the secret is not well formed.
    InvalidRequest,
    /// The store answered with something that is not a secret.
    InvalidData,
    /// The store or the provider does not support the request.
    Unsupported,
    /// The source failed in another way.
    SourceFailed,

    /// The secret does not have the field.
    InvalidField,
    /// The value is not what `decode` expects.
    InvalidEncoding,
    /// The template cannot be rendered.
    TemplateFailed,
    /// The import cannot be made.
    ImportFailed,
    /// The secrets and files of the run are larger together than `max-bytes`.
    TooLarge,
    /// The value cannot become the file for another reason.
    InvalidValue,

    /// Another run holds the lock.
    Busy,
    /// The command of `[verify]` refused the new set, or could not run.
    VerifyFailed,
    /// The owner could not be looked up.
    OwnerNotLookedUp,
    /// The privilege to change the owner of files is missing.
    NeedsPrivilege,
    /// The owner is not mapped into this user namespace.
    NotMapped,
    /// The name of a link or a file is invalid.
    InvalidName,
    /// The path of the link is not a symbolic link.
    NotALink,
    /// The link does not lead to a generation of `secretdir`.
    PointsElsewhere,
    /// Another process created something at the link during the run.
    LinkAppeared,
    /// The link was removed during the run.
    LinkVanished,
    /// Another user could replace the link.
    Replaceable,
    /// Everyone may write to the directory of the link, and it is not sticky.
    WritableByEveryone,
    /// Another process has replaced a file or directory that was just made.
    Swapped,
    /// The path of the directory of the link has changed. This was found before the switch.
    ParentMoved,
    /// There is no record that `secretdir` made a generation.
    NotOnRecord,
    /// There are more files to remove than one run removes.
    TooMuchToRemove,
    /// A file or directory with a name of `secretdir` belongs to another user.
    NotOurs,
    /// The lock is not a regular file with exactly one name.
    NotALockFile,
    /// A generation is not a directory on the filesystem of its parent.
    NotAGeneration,
    /// A file or directory with a name of `secretdir` has the wrong type.
    NotOfOurMaking,
    /// The stamp is not a file, or has a second name.
    NotAStamp,
    /// A file could not be written, so the set is not complete.
    Incomplete,
    /// The lock file was removed while it was locked.
    LockRemoved,
    /// The umask removes the permissions of the owner.
    BadUmask,
    /// A note is longer than any that `secretdir` writes.
    NoteTooLong,
    /// The published generation could not be pinned.
    NotPinned,
    /// A system call of publishing failed.
    PublishFailed,
    /// Files with secrets that were not published could not be removed.
    Leftover,

    /// The new set is published, but a power cut may bring back the old one.
    NotDurable,
    /// The new set is published, but the path of the link has changed.
    PathMoved,
    /// The new set is published, but `[on-change]` has not succeeded.
    OnChangeFailed,
    /// The new set is published, but the state of `[on-change]` could not be read or recorded.
    OnChangeNotRecorded,

    /// A signal ended the run.
    Interrupted,
    /// The result of the command could not be written.
    NotWritten,
    /// Something else failed.
    Unexpected,

    /// Nothing is published at the link.
    NothingPublished,
    /// The pin on the generation cannot be passed to the program.
    PinNotHandedOn,
    /// The program of `exec` cannot be run.
    NotRunnable,
    /// The program of `exec` was not found.
    ProgramNotFound,
}

impl From<SourceErrorKind> for ErrorKind {
    fn from(kind: SourceErrorKind) -> Self {
        match kind {
            SourceErrorKind::NotFound => Self::NotFound,
            SourceErrorKind::PermissionDenied => Self::PermissionDenied,
            SourceErrorKind::Unauthenticated => Self::Unauthenticated,
            SourceErrorKind::Throttled => Self::Throttled,
            SourceErrorKind::Unavailable => Self::Unavailable,
            SourceErrorKind::TimedOut => Self::TimedOut,
            SourceErrorKind::InvalidRequest => Self::InvalidRequest,
            SourceErrorKind::InvalidData => Self::InvalidData,
            SourceErrorKind::Unsupported => Self::Unsupported,
            _ => Self::SourceFailed,
        }
    }
}
