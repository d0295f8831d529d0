//! Opens a file below a root, and never one outside.
//!
//! Symbolic links are followed as long as they stay below the root; an absolute one never does, wherever it leads. On
//! Linux the kernel resolves the name in one call, which no rename can race with. Where it cannot, before Linux 5.6 or
//! where a sandbox forbids the call, and on other systems the name is walked component by component. Both ways give
//! the same answers: `EXDEV` for a way that leaves the root, `ELOOP` for more than 40 links.
//!
//! A name that does not exist is told apart from a link whose target does not exist. The kernel gives both the same number, so
//! the walk looks again at what the kernel did not find. Either may be a link that was flipped at that moment: the answer
//! counts only if several looks in a row find nothing.
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

/// Why nothing was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such name.
    Absent,
    /// There is such a name, but a symbolic link on the way leads to something that does not exist.
    LeadsNowhere,
    /// Something else, in the words of the system.
    System(Errno),
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

/// Opens a file wherever it is, following links: it is the operator's choice, too.
pub(crate) fn open_anywhere(path: &Path) -> Result<OwnedFd, Errno> {
    let is_late = |opened: &Result<_, _>| matches!(opened, Err(Errno::NOENT));
    unless_late(is_late, || openat(CWD, path, FILE, Mode::empty()))
}

/// Opens a directory in another one, to read what is in it; not through a link.
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

/// Opens something behind links, any of which may just be flipped: between reading a link and opening what it leads to, the
/// system may be too late, if its old directory is removed. Then there is another one.
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

/// Walks where the kernel has no such call, or a sandbox forbids it, and where the kernel does not say whose target is missing.
#[cfg(target_os = "linux")]
fn or_walk(opened: Result<OwnedFd, Errno>, root: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Refusal> {
    match opened {
        Err(Errno::NOSYS | Errno::PERM | Errno::NOENT | Errno::NOTDIR) => walk::open(root, name),
        other => other.map_err(Refusal::System),
    }
}

#[cfg(test)]
mod tests;
