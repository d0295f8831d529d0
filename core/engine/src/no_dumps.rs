//! No core dumps while secrets are in memory: a dump would leave them on disk.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Nothing is dumped as long as this is there. Dropping it puts the limit back that there was.
#[derive(Debug)]
pub(crate) struct NoDumps(Rlimit);

impl NoDumps {
    /// Lowers the soft limit alone: the hard one could not be raised again.
    pub(crate) fn begin() -> Self {
        let before = getrlimit(Resource::Core);
        set(Rlimit { current: Some(0), ..before });
        Self(before)
    }
}

impl Drop for NoDumps {
    fn drop(&mut self) {
        set(self.0);
    }
}

fn set(limit: Rlimit) {
    if let Err(error) = setrlimit(Resource::Core, limit) {
        tracing::debug!(%error, "the limit of core dumps cannot be set");
    }
}
