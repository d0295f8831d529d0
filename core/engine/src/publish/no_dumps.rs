//! Prevents core dumps while secrets are in memory, because a dump would write them to disk.
//!
//! A limit of zero keeps the kernel from writing a file. If the kernel passes dumps to a program, such as systemd-coredump,
//! it ignores that limit (`man 5 core`). So the process is also made undumpable. This also prevents other processes of the
//! same user from attaching to it. A program that is started is dumpable again, because exec resets this.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, set_dumpable_behavior, setrlimit,
};

/// A guard that prevents core dumps while it exists. Dropping it restores the previous settings.
#[derive(Debug)]
pub(crate) struct NoDumps {
    limit: Rlimit,
    behavior: Option<DumpableBehavior>,
}

impl NoDumps {
    /// Starts to prevent core dumps. Only the soft limit is lowered, because the hard limit could not be raised again.
    pub(crate) fn begin() -> Self {
        let before = getrlimit(Resource::Core);
        limit(Rlimit { current: Some(0), ..before });
        let behavior = dumpable_behavior().ok();
        behave(DumpableBehavior::NotDumpable);
        Self { limit: before, behavior }
    }
}

impl Drop for NoDumps {
    fn drop(&mut self) {
        limit(self.limit);
        self.behavior.into_iter().for_each(behave);
    }
}

fn behave(behavior: DumpableBehavior) {
    if let Err(error) = set_dumpable_behavior(behavior) {
        tracing::debug!(%error, "this process cannot be made undumpable");
    }
}

fn limit(limit: Rlimit) {
    if let Err(error) = setrlimit(Resource::Core, limit) {
        tracing::debug!(%error, "the limit of core dumps cannot be set");
    }
}
