//! The state of a directory before it was read.

use std::os::fd::OwnedFd;

use rustix::fs::{Stat, fstat};
use rustix::io::Errno;

/// The identity of a directory: its device and its inode.
pub(super) type Identity = (i128, i128);

/// The identity of a directory, and data that shows its changes.
#[derive(PartialEq)]
pub(super) struct DirectoryState {
    pub(super) identity: Identity,
    links: i128,
    modified: (i128, i128),
    changed: (i128, i128),
}

impl DirectoryState {
    pub(super) fn at(directory: &OwnedFd) -> Result<Self, Errno> {
        let stat: Stat = fstat(directory)?;
        Ok(Self {
            identity: (stat.st_dev.into(), stat.st_ino.into()),
            links: stat.st_nlink.into(),
            modified: (stat.st_mtime.into(), stat.st_mtime_nsec.into()),
            changed: (stat.st_ctime.into(), stat.st_ctime_nsec.into()),
        })
    }
}
