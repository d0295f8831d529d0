//! The faults of gathering.

use secretdir_provider::{SecretRequest, SourceError};

/// The reason why the set is not complete.
#[derive(Debug)]
pub(crate) enum GatherFault {
    /// A request that failed.
    Fetch { source: usize, request: SecretRequest, error: SourceError },
    /// A listing that failed.
    Listing { source: usize, prefix: String, error: SourceError },
    /// All secrets together are larger than this many bytes.
    TooLarge(u64),
}
