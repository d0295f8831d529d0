//! What keeps this machine from running a plan, though nothing is wrong with the configuration itself. A run would find it,
//! too: here it is found before anything is fetched.

use atomicdir::Options;

use crate::plan::Plan;
use crate::problem::{ConfigError, Problem};
use crate::publish::owners;
use crate::report::{ErrorKind, ErrorReport};

/// Why a run would fail on this machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The configuration names users or groups whom the system does not know: each place.
    #[error(transparent)]
    Owners(#[from] ConfigError),
    /// Nothing can be published at the path, or somebody else could replace what leads to it.
    #[error(transparent)]
    Publish(#[from] atomicdir::Error),
}

impl InspectError {
    /// Returns what is told of it: something of each place.
    pub fn reports(&self) -> Vec<ErrorReport> {
        match self {
            Self::Owners(error) => error.reports_of(ErrorKind::UnknownOwner),
            Self::Publish(error) => vec![error.into()],
        }
    }
}

/// Finds out whether this machine knows every owner that a plan names, and whether the link could be published. Fetches
/// and makes nothing.
///
/// # Errors
///
/// What a run would refuse.
pub fn inspect(plan: &Plan) -> Result<(), InspectError> {
    owners(plan)?;
    Ok(Options::new().parents(plan.parents).inspect(&plan.link)?)
}

/// Names each place where the configuration names somebody whom the system does not know.
pub(crate) fn owners(plan: &Plan) -> Result<(), ConfigError> {
    let unknown = plan.mentions.iter().filter(|mention| owners::is_unknown(&mention.who));
    let problems: Vec<Problem> = unknown.map(|mention| mention.problem.clone()).collect();
    ConfigError::unless_empty(problems)
}
