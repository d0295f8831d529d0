//! Opens a file below a root, and never one outside.
//!
//! Symbolic links are followed as long as they stay below the root; an absolute one never does, wherever it leads. On
//! Linux the kernel resolves the name in one call, which no rename can race with. Where it cannot, before Linux 5.6 or
//! where a sandbox forbids the call, and on other systems the name is walked component by component. Both ways give
//! the same answers: `EXDEV` for a way that leaves the root, `ELOOP` for more than 40 links.
//!
//! A file is opened without waiting, so that a FIFO without a writer cannot hang a run, and without becoming the
//! controlling terminal. Whether it is a regular file is up to the caller, who has a descriptor to ask.

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

/// How a secret is opened.
const FILE: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// How a directory on the way is opened: to go through it, it need not be readable.
#[cfg(target_os = "linux")]
const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// How often to look for what is behind a link that may just have been flipped.
const ATTEMPTS: usize = 16;

/// Opens a file wherever it is, following links: it is the operator's choice, too.
pub(crate) fn open_anywhere(path: &Path) -> Result<OwnedFd, Errno> {
    unless_late(|| openat(CWD, path, FILE, Mode::empty()))
}

/// Opens a directory in another one, to read what is in it; not through a link.
pub(crate) fn enter(directory: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    openat(directory, name, FILE | OFlags::DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
}

/// Opens the file with this name below the root.
pub(crate) fn open(root: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    unless_late(|| open_once(root, name))
}

#[cfg(target_os = "linux")]
fn open_once(root: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    or_walk(kernel::open(root, name), root, name)
}

#[cfg(not(target_os = "linux"))]
fn open_once(root: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    walk::open(root, name)
}

/// Opens something behind links, any of which may just be flipped: between reading a link and opening what it leads to, the
/// system may be too late, if its old directory is removed. Then there is another one.
fn unless_late<T>(mut open: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    let mut attempts = (0..ATTEMPTS).map(|_| open());
    attempts.find(|opened| !matches!(opened, Err(Errno::NOENT))).unwrap_or(Err(Errno::NOENT))
}

/// Walks where the kernel has no such call, or a sandbox forbids it.
#[cfg(target_os = "linux")]
fn or_walk(opened: Result<OwnedFd, Errno>, root: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    match opened {
        Err(Errno::NOSYS | Errno::PERM) => walk::open(root, name),
        other => other,
    }
}

#[cfg(test)]
mod tests;
