//! The error of a run, with its warnings and leftovers.

mod affected;
mod gathering;
mod report;

use crate::plan::Plan;
use crate::problem::ConfigError;
use crate::publish::hook::HookError;
use crate::publish::owners::OwnerError;
use crate::publish::run::PublishFault;
use crate::report::{ErrorKind, ErrorReport, WarningReport};

pub use gathering::{GatherError, GatherFailure};

/// How many times a run starts again because its configuration has changed.
pub(crate) const MAX_RELOADS: usize = 10;

/// The reason why a run failed. The published set is unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The configuration changed while the run waited for the lock, and is now invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration names users or groups that do not exist on this system. The error has each position.
    #[error(transparent)]
    UnknownOwners(ConfigError),
    /// The configuration changed each time while the run waited for the lock.
    #[error("the configuration changed {MAX_RELOADS} times while the run waited for the lock")]
    KeepsChanging,
    /// The configuration changed while a turn of `watch` waited for the lock.
    #[error("the configuration changed while the run waited for the lock; the next run uses it")]
    Outdated,
    /// Files cannot be given to a configured owner.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// A source failed.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// Publishing failed, or another run held the lock for too long.
    #[error(transparent)]
    Publish(#[from] atomicdir::Error),
    /// The command of `[verify]` refused the set, or could not be run to its end.
    #[error(transparent)]
    Verify(HookError),
    /// The host asked the run to end.
    #[error("interrupted")]
    Interrupted,
}

/// A failed run, with its warnings.
#[derive(Debug, thiserror::Error)]
#[error("the run failed")]
pub struct SyncFailure {
    /// The reason.
    #[source]
    pub error: SyncError,
    /// The warnings of the run, which may explain the failure.
    pub warnings: Vec<WarningReport>,
    /// The reason why staged files with secrets are still on disk, although they were not published. The next run tries
    /// again to remove them.
    pub leftover: Option<atomicdir::Error>,
}

impl From<PublishFault> for SyncError {
    fn from(fault: PublishFault) -> Self {
        match fault {
            PublishFault::Publish(error) => Self::Publish(error),
            PublishFault::Verify(error) => Self::Verify(error),
            PublishFault::Interrupted => Self::Interrupted,
        }
    }
}

impl SyncError {
    fn reports(&self) -> Vec<ErrorReport> {
        match self {
            Self::Config(error) => error.reports(),
            Self::UnknownOwners(error) => error.reports_of(ErrorKind::UnknownOwner),
            Self::Gather(error) => error.reports(),
            Self::Owner(error) => vec![error.into()],
            Self::Publish(error) => vec![error.into()],
            Self::Verify(error) => vec![verify_report(error)],
            Self::KeepsChanging | Self::Outdated => vec![ErrorReport::new(ErrorKind::Unexpected, self)],
            Self::Interrupted => vec![ErrorReport::new(ErrorKind::Interrupted, self)],
        }
    }
}

/// Reports that the set was refused, and that nothing has changed.
fn verify_report(error: &HookError) -> ErrorReport {
    let unchanged = "nothing was published; the current set stays";
    let hint = error.hint().map_or(unchanged.to_owned(), |hint| format!("{hint}; {unchanged}"));
    ErrorReport::new(ErrorKind::VerifyFailed, error).with_hint(Some(hint))
}

impl SyncFailure {
    pub(crate) fn new(error: impl Into<SyncError>, warnings: Vec<WarningReport>) -> Self {
        Self { error: error.into(), warnings, leftover: None }
    }

    /// Returns the reports of the run: at least one for each failure.
    pub fn reports(&self) -> Vec<ErrorReport> {
        let mut reports = self.error.reports();
        reports.extend(self.leftover.as_ref().map(ErrorReport::leftover));
        reports
    }

    /// Adds the warnings about the configuration before the others.
    pub(crate) fn with_warnings_of(mut self, plan: &Plan) -> Self {
        self.warnings.splice(0..0, plan.warning_reports());
        self
    }
}
