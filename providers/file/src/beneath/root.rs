//! The root, and that one run reads from one.
//!
//! `root` may be a link that is flipped at any time. What a run lists and what it fetches must be of the same directory, so the
//! root of a listing is kept for what comes after it in the same run. Runs are told apart by their deadlines: the interface has
//! one for the whole of a run, retries included. What is left of an earlier run is never used.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustix::fs::{CWD, Mode, fstat, openat};
use rustix::io::Errno;

use super::{DIRECTORY, unless_late};

/// The root, open. As long as it is, no other directory can have its identity.
#[derive(Debug)]
pub(crate) struct Root {
    descriptor: OwnedFd,
    identity: (i128, i128),
}

impl Root {
    /// Opens the root itself, following links: where it is, is the operator's choice.
    pub(crate) fn open(path: &Path) -> Result<Self, Errno> {
        let is_late = |opened: &Result<_, _>| matches!(opened, Err(Errno::NOENT));
        let descriptor = unless_late(is_late, || openat(CWD, path, DIRECTORY, Mode::empty()))?;
        let stat = fstat(&descriptor)?;
        Ok(Self { descriptor, identity: (stat.st_dev.into(), stat.st_ino.into()) })
    }

    /// Says whether both are the same directory.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.identity == other.identity
    }

    /// Says whether this is what a path leads to now. What a link led to before may be in the course of being removed.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        Self::open(path).is_ok_and(|root| root.is(self))
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// The root of the run that is under way, between its calls.
#[derive(Debug, Default)]
pub(crate) struct RunRoot(Mutex<Option<(Instant, Root)>>);

/// A run has begun with another root.
#[derive(Debug)]
pub(crate) struct Replaced;

impl RunRoot {
    /// Keeps a root for what the run with this deadline does next, unless it has another one already.
    pub(crate) fn keep(&self, run: Instant, root: Root) -> Result<(), Replaced> {
        let mut kept = self.lock();
        match &*kept {
            Some((of, first)) if *of == run && !first.is(&root) => Err(Replaced),
            _ => {
                *kept = Some((run, root));
                Ok(())
            }
        }
    }

    /// Takes what was kept for the run with this deadline, and lets go of what was for another one.
    pub(crate) fn take(&self, run: Instant) -> Option<Root> {
        self.lock().take().filter(|(of, _)| *of == run).map(|(_, root)| root)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Instant, Root)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
