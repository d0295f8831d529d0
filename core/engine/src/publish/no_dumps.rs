//! No core dumps while secrets are in memory: a dump would leave them on disk.
//!
//! The limit of zero keeps the kernel from writing a file. Where it hands dumps to a program, such as systemd-coredump, it
//! does not heed that limit (`man 5 core`): so the process is made undumpable as well, which also keeps others of the same
//! user from attaching to it. A program that is started is dumpable again, as it is another.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, set_dumpable_behavior, setrlimit,
};

/// Nothing is dumped as long as this is there. Dropping it puts back what there was.
#[derive(Debug)]
pub(crate) struct NoDumps {
    limit: Rlimit,
    behavior: Option<DumpableBehavior>,
}

impl NoDumps {
    /// Lowers the soft limit alone: the hard one could not be raised again.
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
        tracing::debug!(%error, "whether this process can be dumped cannot be set");
    }
}

fn limit(limit: Rlimit) {
    if let Err(error) = setrlimit(Resource::Core, limit) {
        tracing::debug!(%error, "the limit of core dumps cannot be set");
    }
}
