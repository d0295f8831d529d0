//! The root, and that one run reads from one.
//!
//! `root` may be a link that is flipped at any time. What a run lists and what it fetches must be of the same directory, so the
//! first root that a run opens stays open for all of it: it is a part of the run's state, and closed at its end.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// The root that one run reads from: the first that it has opened.
#[derive(Default)]
pub(crate) struct RunRoot(Mutex<Option<Arc<Root>>>);

/// A run has begun with another root.
#[derive(Debug)]
pub(crate) struct Replaced;

impl RunRoot {
    /// Returns the root of the run, which is opened unless it is open.
    pub(crate) fn get(&self, path: &Path) -> Result<Arc<Root>, Errno> {
        let mut kept = self.lock();
        if let Some(root) = &*kept {
            return Ok(Arc::clone(root));
        }
        Ok(Arc::clone(kept.insert(Arc::new(Root::open(path)?))))
    }

    /// Keeps a root that was listed for what the run does next, unless it has another one already.
    pub(crate) fn keep(&self, root: Root) -> Result<(), Replaced> {
        let mut kept = self.lock();
        match &*kept {
            Some(first) if first.is(&root) => Ok(()),
            Some(_) => Err(Replaced),
            None => {
                *kept = Some(Arc::new(root));
                Ok(())
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Root>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
