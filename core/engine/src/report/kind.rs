//! The kinds of errors: a part of the interface, as the exit codes are.

use schemars::JsonSchema;
use secretdir_provider::SourceErrorKind;
use serde::{Deserialize, Serialize};

/// What went wrong, as a word for programs. New kinds come with new minor versions; none changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The command cannot be done with its arguments.
    Usage,
    /// The configuration, or a template that it names, cannot be read or is wrong.
    Configuration,
    /// The configuration names a user or a group that this system does not know.
    UnknownOwner,
    /// This machine cannot start a command of the configuration.
    CommandNotStartable,
    /// There is no such provider.
    UnknownProvider,
    /// The file that `init` would write is there already.
    AlreadyThere,

    /// The store was asked, and has no such secret or no such version of it.
    NotFound,
    /// The store refuses this secret to this identity.
    PermissionDenied,
    /// The store does not accept the credentials, or there are none.
    Unauthenticated,
    /// The store asks for fewer requests.
    Throttled,
    /// The store is not there, cannot be reached, or cannot answer now.
    Unavailable,
    /// The store did not answer in time.
    TimedOut,
    /// The name or version of the secret is not well formed.
    InvalidRequest,
    /// The store answered with something that is not a secret.
    InvalidData,
    /// The store or the provider cannot do what is asked.
    Unsupported,
    /// The source failed in another way.
    SourceFailed,

    /// The field cannot be picked from the secret.
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
    /// The command of `[verify]` refused the new set, or could not say.
    VerifyFailed,
    /// The owner could not be looked up.
    OwnerNotLookedUp,
    /// Giving files to their owner needs a privilege that is missing.
    NeedsPrivilege,
    /// The owner is not mapped into this user namespace.
    NotMapped,
    /// A name cannot be that of a link or a file.
    InvalidName,
    /// Something that is not a symbolic link stands where the link belongs.
    NotALink,
    /// The link names something that is not a generation of ours.
    PointsElsewhere,
    /// Something appeared at the link during the run.
    LinkAppeared,
    /// The link was removed during the run.
    LinkVanished,
    /// Somebody else could replace the link.
    Replaceable,
    /// Everyone may write to the directory of the link, and it is not sticky.
    WritableByEveryone,
    /// Something else has taken the place of what was just made.
    Swapped,
    /// The path of the directory of the link leads elsewhere, found before the flip.
    ParentMoved,
    /// There is no record that a generation was made here.
    NotOnRecord,
    /// There is more to remove than one run does.
    TooMuchToRemove,
    /// A file or directory with a name of ours belongs to another user.
    NotOurs,
    /// The lock is not a regular file with one name.
    NotALockFile,
    /// A generation is not a directory on the filesystem of its parent.
    NotAGeneration,
    /// Something with a name of ours is of a kind that is never made under it.
    NotOfOurMaking,
    /// What is in the place of the stamp is not a file, or has a second name.
    NotAStamp,
    /// A file could not be written, so the set is not complete.
    Incomplete,
    /// The lock was removed while it was held.
    LockRemoved,
    /// The umask takes the permissions of the owner away.
    BadUmask,
    /// A note is longer than any that was written here.
    NoteTooLong,
    /// The published generation could not be pinned.
    NotPinned,
    /// A system call of publishing failed.
    PublishFailed,
    /// Files with secrets that were not published could not be removed.
    Leftover,

    /// The new set is published, and a power cut may bring back the old one.
    NotDurable,
    /// The new set is published, and the path of the link leads elsewhere by now.
    PathMoved,
    /// The new set is published, and the command of `[on-change]` has not succeeded.
    OnChangeFailed,
    /// The new set is published, and it could not be read or recorded whether the command of `[on-change]` has succeeded.
    OnChangeNotRecorded,

    /// A signal ended the run.
    Interrupted,
    /// What the command was for could not be written.
    NotWritten,
    /// Something else failed.
    Unexpected,

    /// Nothing is published at the link.
    NothingPublished,
    /// The pin on the generation cannot be handed on.
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
