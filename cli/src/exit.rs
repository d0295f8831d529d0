//! Exit codes. They are a part of the interface.

use std::process::ExitCode;

use secretdir_engine::ErrorKind;

/// The exit code of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum Exit {
    /// Published, or unchanged.
    Success = 0,
    /// An unexpected error, or a result that cannot be written. The published set is as before.
    Unexpected = 1,
    /// Usage or configuration. The published set is as before.
    Usage = 2,
    /// A source failed, or its answer cannot become a file. The published set is as before.
    Source = 3,
    /// Publishing failed. The published set is as before.
    Publish = 4,
    /// Another run holds the lock. The published set is as before.
    Busy = 5,
    /// The new set is published, but a later step failed. Its durability is unknown, its path leads elsewhere, or the
    /// on-change command failed.
    Late = 6,
    /// The command of `[verify]` refused the new set. The published set is as before.
    Refused = 7,
    /// `diff` or `sync --dry-run`: a run would change a file, or run the command of `[on-change]`.
    Changed = 10,
    /// The last success is longer ago than `status --fresh` allows.
    Stale = 11,
    /// `status --fresh` found nothing published.
    NothingPublished = 12,
    /// `exec` did not start the program: the arguments or the configuration are wrong, or no published set can be
    /// pinned.
    NotStarted = 125,
    /// The program of `exec` cannot be run.
    NotRunnable = 126,
    /// The program of `exec` was not found.
    NotFound = 127,
}

/// The exit codes of a command that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failures {
    /// The code for the kind of its first error.
    ByKind,
    /// The codes of `exec`, which programs hardly use themselves.
    OfExec,
}

impl Failures {
    /// Returns the exit code of a command whose first error is of this kind.
    pub(crate) fn exit(self, kind: ErrorKind) -> Exit {
        match (self, Exit::from(kind)) {
            (Self::OfExec, exit @ (Exit::NotRunnable | Exit::NotFound)) => exit,
            (Self::OfExec, _) => Exit::NotStarted,
            (Self::ByKind, exit) => exit,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Maps each kind of error to one exit code, in every command. Only `exec` has its own codes.
impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        use ErrorKind as Kind;
        match kind {
            Kind::Usage
            | Kind::Configuration
            | Kind::UnknownOwner
            | Kind::CommandNotStartable
            | Kind::UnknownProvider
            | Kind::AlreadyThere => Self::Usage,

            Kind::NotFound
            | Kind::PermissionDenied
            | Kind::Unauthenticated
            | Kind::Throttled
            | Kind::Unavailable
            | Kind::TimedOut
            | Kind::InvalidRequest
            | Kind::InvalidData
            | Kind::Unsupported
            | Kind::SourceFailed
            | Kind::InvalidField
            | Kind::InvalidEncoding
            | Kind::TemplateFailed
            | Kind::ImportFailed
            | Kind::TooLarge
            | Kind::InvalidValue => Self::Source,

            Kind::Busy => Self::Busy,

            Kind::VerifyFailed => Self::Refused,

            Kind::OwnerNotLookedUp
            | Kind::NeedsPrivilege
            | Kind::NotMapped
            | Kind::InvalidName
            | Kind::NotALink
            | Kind::PointsElsewhere
            | Kind::LinkAppeared
            | Kind::LinkVanished
            | Kind::Replaceable
            | Kind::WritableByEveryone
            | Kind::Swapped
            | Kind::ParentMoved
            | Kind::NotOnRecord
            | Kind::TooMuchToRemove
            | Kind::NotOurs
            | Kind::NotALockFile
            | Kind::NotAGeneration
            | Kind::NotOfOurMaking
            | Kind::NotAStamp
            | Kind::Incomplete
            | Kind::LockRemoved
            | Kind::BadUmask
            | Kind::NoteTooLong
            | Kind::NotPinned
            | Kind::PublishFailed
            | Kind::Leftover => Self::Publish,

            Kind::NotDurable | Kind::PathMoved | Kind::OnChangeFailed | Kind::OnChangeNotRecorded => {
                Self::Late
            }

            Kind::NothingPublished | Kind::PinNotHandedOn => Self::NotStarted,
            Kind::NotRunnable => Self::NotRunnable,
            Kind::ProgramNotFound => Self::NotFound,

            _ => Self::Unexpected,
        }
    }
}
