//! Lets the kernel resolve a name, with `openat2` of Linux 5.6.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, ResolveFlags, openat2};
use rustix::io::Errno;

use super::FILE;

/// The most attempts while a rename elsewhere keeps the kernel from being sure.
const ATTEMPTS: usize = 16;

/// Opens a file below the root.
pub(super) fn open(root: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let mut attempts = (0..ATTEMPTS).map(|_| openat2(root, name, FILE, Mode::empty(), resolve));
    let unsure = |opened: &Result<_, _>| matches!(opened, Err(Errno::AGAIN | Errno::INTR));
    attempts.find(|opened| !unsure(opened)).unwrap_or(Err(Errno::AGAIN))
}
