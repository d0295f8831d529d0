//! What kept a set from being gathered.

use secretdir_provider::{SecretRequest, SourceError};

/// What kept the set from being complete.
#[derive(Debug)]
pub(crate) enum GatherFault {
    /// A request that failed.
    Fetch { source: usize, request: SecretRequest, error: SourceError },
    /// A listing that failed.
    Listing { source: usize, prefix: String, error: SourceError },
    /// All secrets are larger together than this many bytes.
    TooLarge(u64),
}
