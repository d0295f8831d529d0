//! The root. A run reads from only one.
//!
//! `root` may be a link that is flipped at any time. A run must list and fetch from the same directory. So the first
//! root that a run opens stays open until its end, as a part of the run's state.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{CWD, Mode, fstat, openat};
use rustix::io::Errno;

use super::{DIRECTORY, unless_late};

/// The open root. While it is open, no other directory can have its identity.
#[derive(Debug)]
pub(crate) struct Root {
    descriptor: OwnedFd,
    identity: (i128, i128),
}

impl Root {
    /// Opens the root itself, and follows links, because the operator has chosen the path.
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

    /// Says whether a path leads to this root now. The former target of a link may be in the course of removal.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        Self::open(path).is_ok_and(|root| root.is(self))
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// The root of a run: the first one that it has opened.
#[derive(Default)]
pub(crate) struct RunRoot(Mutex<Option<Arc<Root>>>);

/// The error for a run that has begun with another root.
#[derive(Debug)]
pub(crate) struct Replaced;

impl RunRoot {
    /// Returns the root of the run. The first call opens it.
    pub(crate) fn get(&self, path: &Path) -> Result<Arc<Root>, Errno> {
        let mut kept = self.lock();
        if let Some(root) = &*kept {
            return Ok(Arc::clone(root));
        }
        Ok(Arc::clone(kept.insert(Arc::new(Root::open(path)?))))
    }

    /// Keeps a listed root for the rest of the run, unless the run already has another one.
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
