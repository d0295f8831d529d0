//! Opens files below a root, and never one outside it.
//!
//! Symbolic links are followed as long as they stay below the root. An absolute link counts as leaving it, wherever it
//! leads. On Linux the kernel resolves the name in one call, so no rename can race with it. If it cannot, the name is
//! walked component by component: before Linux 5.6, in a sandbox that forbids the call, and on other systems. Both
//! methods give the same answers: `EXDEV` for a path that leaves the root, `ELOOP` for more than 40 links.
//!
//! A missing name is distinguished from a link whose target is missing. The kernel has one error number for both, so
//! the walk looks again. In either case, a link may just have been flipped. The answer counts only if several attempts
//! in a row find nothing.
//!
//! A file is opened without blocking, so that a FIFO without a writer cannot hang a run. It never becomes the
//! controlling terminal. The caller checks by the descriptor whether it is a regular file.

#[cfg(target_os = "linux")]
mod kernel;
mod root;
mod walk;

use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

pub(crate) use root::{Root, RunRoot};

/// The flags to open a secret.
const FILE: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// The flags to open a directory on the way. It need not be readable to pass through it.
#[cfg(target_os = "linux")]
const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The most attempts to find the target of a link that may just have been flipped.
const ATTEMPTS: usize = 16;

/// The reason why nothing was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The name does not exist.
    Absent,
    /// The name exists, but a symbolic link on the way leads to a missing target.
    LeadsNowhere,
    /// Another error of the system.
    System(Errno),
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

/// Opens a file at any path, and follows links, because the operator has chosen the path.
pub(crate) fn open_anywhere(path: &Path) -> Result<OwnedFd, Errno> {
    let is_late = |opened: &Result<_, _>| matches!(opened, Err(Errno::NOENT));
    unless_late(is_late, || openat(CWD, path, FILE, Mode::empty()))
}

/// Opens a directory in another one to read it, but not through a link.
pub(crate) fn enter(directory: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    openat(directory, name, FILE | OFlags::DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
}

/// Opens the file with this name below the root.
pub(crate) fn open(root: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Refusal> {
    let is_late = |opened: &Result<_, _>| matches!(opened, Err(Refusal::Absent | Refusal::LeadsNowhere));
    unless_late(is_late, || open_once(root, name))
}

#[cfg(target_os = "linux")]
fn open_once(root: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Refusal> {
    or_walk(kernel::open(root, name), root, name)
}

#[cfg(not(target_os = "linux"))]
fn open_once(root: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Refusal> {
    walk::open(root, name)
}

/// Opens a file or directory behind links, any of which may just be flipped. The system may read a link, and find its
/// old target removed before it is opened. Then another attempt finds the new target.
fn unless_late<T, E>(
    is_late: impl Fn(&Result<T, E>) -> bool,
    mut open: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    let mut opened = open();
    for _ in 1..ATTEMPTS {
        if !is_late(&opened) {
            break;
        }
        opened = open();
    }
    opened
}

/// Walks if the kernel lacks the call, if a sandbox forbids it, or if the kernel does not say whether a link's target
/// is missing.
#[cfg(target_os = "linux")]
fn or_walk(opened: Result<OwnedFd, Errno>, root: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Refusal> {
    match opened {
        Err(Errno::NOSYS | Errno::PERM | Errno::NOENT | Errno::NOTDIR) => walk::open(root, name),
        other => other.map_err(Refusal::System),
    }
}

#[cfg(test)]
mod tests;
