//! Exit codes: a part of the interface.

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use secretdir_engine::{InspectError, Outcome, SyncError};

use crate::output::{Stderr, stdout};

/// How a command ended.
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
    /// A source failed, or what it gave cannot become a file. The published set is as before.
    Source = 3,
    /// Publishing failed. The published set is as before.
    Publish = 4,
    /// Another run holds the lock. The published set is as before.
    Busy = 5,
    /// The new set is published, but a later step failed: its durability is unknown, its path leads elsewhere, or the command
    /// failed.
    Late = 6,
    /// A run would change a file, or run the command of `[on-change]`: of `diff` and `sync --dry-run`.
    Changed = 10,
    /// `exec` started nothing: for its arguments, the configuration, or because there was nothing of ours that could be pinned.
    NotStarted = 125,
    /// The program of `exec` cannot be run.
    NotRunnable = 126,
    /// The program of `exec` was not found.
    NotFound = 127,
}

impl Exit {
    /// Returns how a command ends that could not write what it was for: whether the path cannot be meant, or the system did
    /// not let it.
    pub(crate) fn of_unwritten(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory => Self::Usage,
            _ => Self::Unexpected,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<&Outcome> for Exit {
    fn from(outcome: &Outcome) -> Self {
        if outcome.failures.is_empty() { Self::Success } else { Self::Late }
    }
}

impl From<&SyncError> for Exit {
    fn from(error: &SyncError) -> Self {
        match error {
            SyncError::Config(_) => Self::Usage,
            SyncError::Owner(error) if error.is_unknown_name() => Self::Usage,
            SyncError::Gather(_) => Self::Source,
            SyncError::Publish(error) if error.refusal() == Some(&secretdir_engine::Refusal::Busy) => {
                Self::Busy
            }
            SyncError::Owner(_) | SyncError::Publish(_) => Self::Publish,
            _ => Self::Unexpected,
        }
    }
}

impl From<&InspectError> for Exit {
    fn from(error: &InspectError) -> Self {
        match error {
            InspectError::Owners(_) => Self::Usage,
            _ => Self::Publish,
        }
    }
}

/// Prints what is wrong with the arguments, or the help that was asked for.
pub(crate) fn usage(error: &clap::Error, misread: Exit, stderr: Stderr) -> Exit {
    if error.use_stderr() {
        stderr.usage(error);
        return misread;
    }
    match stdout::put(&error.render().to_string()) {
        Ok(()) => Exit::Success,
        Err(untold) => {
            stderr.untold(&untold);
            Exit::Unexpected
        }
    }
}
