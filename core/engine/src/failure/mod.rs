//! Why a run failed, and all that there is to know of it.

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

/// How often a run begins anew because its configuration has changed.
pub(crate) const RENEWALS: usize = 10;

/// Why a run failed. What was published before is still there, untouched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The configuration changed while the run waited for the lock, and is wrong now.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration names users or groups whom the system does not know: each place.
    #[error(transparent)]
    UnknownOwners(ConfigError),
    /// The configuration changed each time that the run had read it.
    #[error("the configuration changed {RENEWALS} times while the run waited for the lock")]
    KeepsChanging,
    /// Files cannot be given to an owner that the configuration names.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// A source failed.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// Publishing failed, or another run held the lock for too long.
    #[error(transparent)]
    Publish(#[from] atomicdir::Error),
    /// The command of `[verify]` refused the set, or could not say.
    #[error(transparent)]
    Verify(HookError),
    /// The host asked for the end.
    #[error("interrupted")]
    Interrupted,
}

/// A run that failed, with all that there is to know of it.
#[derive(Debug, thiserror::Error)]
#[error("the run failed")]
pub struct SyncFailure {
    /// Why.
    #[source]
    pub error: SyncError,
    /// What a person should know besides: a warning may well explain the failure.
    pub warnings: Vec<WarningReport>,
    /// Why files with secrets are still on disk that were staged, and not published. The next run tries again to remove them.
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
            Self::KeepsChanging => vec![ErrorReport::new(ErrorKind::Unexpected, self)],
            Self::Interrupted => vec![ErrorReport::new(ErrorKind::Interrupted, self)],
        }
    }
}

/// Says that the set was refused, and that nothing has changed.
fn verify_report(error: &HookError) -> ErrorReport {
    let unchanged = "nothing is published; the set that is current stays";
    let hint = error.hint().map_or(unchanged.to_owned(), |hint| format!("{hint}; {unchanged}"));
    ErrorReport::new(ErrorKind::VerifyFailed, error).with_hint(Some(hint))
}

impl SyncFailure {
    pub(crate) fn new(error: impl Into<SyncError>, warnings: Vec<WarningReport>) -> Self {
        Self { error: error.into(), warnings, leftover: None }
    }

    /// Returns what is told of it: something of each thing that failed.
    pub fn reports(&self) -> Vec<ErrorReport> {
        let mut reports = self.error.reports();
        reports.extend(self.leftover.as_ref().map(ErrorReport::leftover));
        reports
    }

    /// Tells what is worth a look about the configuration first.
    pub(crate) fn with_warnings_of(mut self, plan: &Plan) -> Self {
        self.warnings.splice(0..0, plan.warning_reports());
        self
    }
}
