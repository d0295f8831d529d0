//! The resource limits of a process: those that were in force when its source was made.
//!
//! A run may lower the limit of core dumps while it holds secrets. The processes that it starts get the limit that the
//! run itself was started with.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The limit of core dumps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CoreLimit(Rlimit);

/// Restores the earlier limit when it is dropped.
pub(crate) struct Restored(CoreLimit);

impl CoreLimit {
    pub(crate) fn current() -> Self {
        Self(getrlimit(Resource::Core))
    }

    /// Sets this limit until the guard is dropped. A process that is started meanwhile keeps it.
    pub(crate) fn during(self) -> io::Result<Restored> {
        let before = Self::current();
        setrlimit(Resource::Core, self.0)?;
        Ok(Restored(before))
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        // This limit was in force a moment ago, so it can be set again.
        let _ = setrlimit(Resource::Core, self.0.0);
    }
}
