//! The limits that a process gets: those that there were when its source was made.
//!
//! A run may lower the limit of core dumps while it holds secrets. That is its own affair: what it starts is to find what
//! whoever started the run has set.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A limit of core dumps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CoreLimit(Rlimit);

/// Dropping this puts back the limit that there was.
pub(crate) struct Restored(CoreLimit);

impl CoreLimit {
    pub(crate) fn current() -> Self {
        Self(getrlimit(Resource::Core))
    }

    /// Lets this limit hold for a while: a process that is started meanwhile keeps it.
    pub(crate) fn during(self) -> io::Result<Restored> {
        let before = Self::current();
        setrlimit(Resource::Core, self.0)?;
        Ok(Restored(before))
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        // It held a moment ago, so it may be set again.
        let _ = setrlimit(Resource::Core, self.0.0);
    }
}
