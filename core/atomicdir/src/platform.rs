//! What only Linux has, each with what stands in for it elsewhere.
//!
//! | Linux | elsewhere | what is lost |
//! |---|---|---|
//! | `syncfs` | `fsync` of each file and directory | time |
//! | `renameat2` with `RENAME_NOREPLACE` | a second name for the temporary link, then the first one goes | nothing: healing knows both |
//! | `statx` tells mount points | nothing does | a bind mount of the same device is taken for a directory |
//! | capabilities | only root is privileged | an error comes later, from the call that is denied |
//! | `getrandom` | `/dev/urandom` | names cannot be made where there is no /dev |
//!
//! Only Linux is tested.

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
            // The link is there. A mark that stays beside it does no harm, and healing takes it away.
            if let Err(error) = unlinkat(directory.as_fd(), from, AtFlags::empty()) {
                tracing::debug!(%error, "a mark stays until the next run");
            }
            Ok(())
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

/// Says whether something is mounted on a directory: what is below is somebody else's, though it may be on the same device
/// (Linux 5.8; before that nothing tells).
#[cfg(target_os = "linux")]
pub(crate) fn is_mount_point(directory: impl AsFd) -> rustix::io::Result<bool> {
    use rustix::fs::{StatxAttributes, StatxFlags, statx};
    let found = statx(directory, "", AtFlags::EMPTY_PATH, StatxFlags::TYPE)?;
    Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_mount_point(_: impl AsFd) -> rustix::io::Result<bool> {
    Ok(false)
}

/// Says whether something is of the proc filesystem, whose links may name what has no path.
#[cfg(target_os = "linux")]
pub(crate) fn is_of_proc(file: impl AsFd) -> rustix::io::Result<bool> {
    rustix::fs::fstatfs(file).map(|found| found.f_type == rustix::fs::PROC_SUPER_MAGIC)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_of_proc(_: impl AsFd) -> rustix::io::Result<bool> {
    Ok(false)
}

/// Fills a buffer with the operating system's randomness. Waits for it early in a boot, when there is none yet.
///
/// # Errors
///
/// The system has no such call. That is an error and no reason to go on with something weaker.
#[cfg(target_os = "linux")]
pub(crate) fn random(mut bytes: &mut [u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::rand::getrandom(&mut *bytes, rustix::rand::GetRandomFlags::empty()) {
            Err(Errno::INTR) => {}
            filled => bytes = bytes.get_mut(filled?..).unwrap_or_default(),
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn random(bytes: &mut [u8]) -> io::Result<()> {
    io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, bytes)
}

/// A privilege that root has, and others may have by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Privilege {
    /// To give a file away.
    Chown,
    /// To change the mode and times of a file that was given away.
    Fowner,
    /// To read a file that was given away, and to remove it.
    DacOverride,
}

impl Privilege {
    /// Returns what Linux calls it, for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chown => "CAP_CHOWN",
            Self::Fowner => "CAP_FOWNER",
            Self::DacOverride => "CAP_DAC_OVERRIDE",
        }
    }
}

/// Says whether this process has a privilege. Whether the filesystem goes along is for each call to say.
#[cfg(target_os = "linux")]
pub(crate) fn has(privilege: Privilege) -> bool {
    use rustix::thread::{CapabilitySet, capabilities};
    let capability = match privilege {
        Privilege::Chown => CapabilitySet::CHOWN,
        Privilege::Fowner => CapabilitySet::FOWNER,
        Privilege::DacOverride => CapabilitySet::DAC_OVERRIDE,
    };
    capabilities(None).is_ok_and(|sets| sets.effective.contains(capability))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn has(_: Privilege) -> bool {
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
