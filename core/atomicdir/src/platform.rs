//! What only Linux has, each with what stands in for it elsewhere.

use std::io;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, linkat, unlinkat};
use rustix::io::Errno;

/// Writes everything that the filesystem of this descriptor holds to its disk, and says if any of it failed (Linux 5.8).
#[cfg(target_os = "linux")]
pub(crate) fn sync_filesystem(directory: impl AsFd) -> rustix::io::Result<()> {
    rustix::fs::syncfs(directory)
}

/// Elsewhere nothing writes one filesystem out and reports errors: the caller syncs each file instead.
#[cfg(not(target_os = "linux"))]
pub(crate) fn sync_filesystem(_: impl AsFd) -> rustix::io::Result<()> {
    Err(Errno::NOSYS)
}

/// Whether one call makes a whole filesystem durable here.
pub(crate) const SYNCS_FILESYSTEMS: bool = cfg!(target_os = "linux");

/// Renames a symbolic link to a name that nothing has yet.
///
/// Where the filesystem cannot (`EINVAL`), a second name for the same inode does: making one fails if something is
/// there, too. A kill before the first name goes leaves both; healing takes that mark away and keeps its generation.
pub(crate) fn rename_to_new_name(directory: impl AsFd, from: &str, to: &str) -> rustix::io::Result<()> {
    match rename_noreplace(directory.as_fd(), from, to) {
        Err(Errno::INVAL | Errno::NOSYS) => {
            linkat(directory.as_fd(), from, directory.as_fd(), to, AtFlags::empty())?;
            unlinkat(directory.as_fd(), from, AtFlags::empty())
        }
        done => done,
    }
}

#[cfg(target_os = "linux")]
fn rename_noreplace(directory: impl AsFd, from: &str, to: &str) -> rustix::io::Result<()> {
    let directory = directory.as_fd();
    rustix::fs::renameat_with(directory, from, directory, to, rustix::fs::RenameFlags::NOREPLACE)
}

#[cfg(not(target_os = "linux"))]
fn rename_noreplace(_: impl AsFd, _: &str, _: &str) -> rustix::io::Result<()> {
    Err(Errno::NOSYS)
}

/// Says whether this process may give files away. Whether the filesystem goes along is for the call itself to say.
#[cfg(target_os = "linux")]
pub(crate) fn may_chown() -> bool {
    use rustix::thread::{CapabilitySet, capabilities};
    capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::CHOWN))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn may_chown() -> bool {
    rustix::process::geteuid().is_root()
}

/// Closes a descriptor and reports what the filesystem has to say last, which a drop would not.
///
/// The descriptor is gone whatever comes back: after `EINTR` too on Linux, where nothing was lost then.
pub(crate) fn close(file: std::fs::File) -> io::Result<()> {
    match nix::unistd::close(file) {
        Err(nix::errno::Errno::EINTR) | Ok(()) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
