//! Locks on open files. The kernel releases them when the process ends, however it ends.
//!
//! A `flock` belongs to the open file. All copies of its descriptor share it, including those of child processes. So it
//! does not lock out other threads: only opening the file again makes another holder. A lock of `fcntl` would belong to
//! the process, and end as soon as the process closes any descriptor of the file.
//!
//! The functions here never wait. A caller that wants to wait sleeps and tries again, so that a deadline can end the
//! wait.

use std::fs::File;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// An open file with a lock, which is released on drop.
///
/// Closing the file is not enough to release it. A child process that is just starting has a copy of the descriptor
/// until it executes its program, and would keep the lock until then.
#[derive(Debug)]
pub(crate) struct Flock(File);

impl Flock {
    /// Takes an exclusive lock, without waiting: `None` if there is another holder.
    pub(crate) fn exclusive(file: File) -> rustix::io::Result<Option<Self>> {
        Self::take(file, FlockOperation::NonBlockingLockExclusive)
    }

    /// Takes a shared lock, without waiting: `None` if another holder has an exclusive one.
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

    /// Turns a shared lock into an exclusive one: `None`, and no lock, if others share it now. The kernel may release
    /// the shared lock first. Another process may then take the lock in between.
    pub(crate) fn make_exclusive(self) -> rustix::io::Result<Option<Self>> {
        match flock(&self.0, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(self)),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Releases the lock, and keeps the file open.
    pub(crate) fn release(&self) -> rustix::io::Result<()> {
        flock(&self.0, FlockOperation::Unlock)
    }

    /// Returns the locked file.
    pub(crate) fn file(&self) -> &File {
        &self.0
    }
}

/// Releases the lock by a call of its own, even if others have a copy of the descriptor.
impl Drop for Flock {
    fn drop(&mut self) {
        if let Err(error) = flock(&self.0, FlockOperation::Unlock) {
            tracing::debug!(%error, "a lock ends only now that its file is closed");
        }
    }
}
