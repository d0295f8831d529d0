//! Locks on open files: they end with the process, however it ends.
//!
//! A `flock` belongs to the open file, which all copies of its descriptor share, those of children included. So it is no
//! lock between threads: opening the file again is what makes another holder. Locks of `fcntl` would belong to the process,
//! and end as soon as it closes any descriptor of the file.
//!
//! Taking one never waits here. Whoever wants to wait sleeps and looks again, so that a deadline can end it.

use std::fs::File;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// An open file with a lock on it, which is given back on drop.
///
/// Closing the file would not do: a child process that is being started at that moment has a copy of the descriptor until
/// it executes its program, and the lock would last as long.
#[derive(Debug)]
pub(crate) struct Flock(File);

impl Flock {
    /// Takes a lock that nobody shares, without waiting: `None` if somebody has one.
    pub(crate) fn exclusive(file: File) -> rustix::io::Result<Option<Self>> {
        Self::take(file, FlockOperation::NonBlockingLockExclusive)
    }

    /// Takes a lock that others may share, without waiting: `None` if somebody has one of their own.
    pub(crate) fn shared(file: File) -> rustix::io::Result<Option<Self>> {
        Self::take(file, FlockOperation::NonBlockingLockShared)
    }

    /// Takes a lock of either kind.
    fn take(file: File, operation: FlockOperation) -> rustix::io::Result<Option<Self>> {
        match flock(&file, operation) {
            Ok(()) => Ok(Some(Self(file))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Turns a shared lock into one that nobody shares: `None`, and no lock, if somebody shares it now. The kernel does that in
    /// two steps, and may let go of the shared one first: somebody else may hold the file in between.
    pub(crate) fn make_exclusive(self) -> rustix::io::Result<Option<Self>> {
        match flock(&self.0, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(self)),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Gives the lock back, and keeps the file open.
    pub(crate) fn release(&self) -> rustix::io::Result<()> {
        flock(&self.0, FlockOperation::Unlock)
    }

    /// Returns the file that the lock is on.
    pub(crate) fn file(&self) -> &File {
        &self.0
    }
}

/// Gives the lock back by a call of its own, whoever else has a copy of the descriptor.
impl Drop for Flock {
    fn drop(&mut self) {
        if let Err(error) = flock(&self.0, FlockOperation::Unlock) {
            tracing::debug!(%error, "a lock ends only now that its file is closed");
        }
    }
}
