//! Features that only Linux has, and their replacements on other systems.
//!
//! | Linux | other systems | what is lost |
//! |---|---|---|
//! | `syncfs` | `fsync` of each file and directory | time |
//! | `renameat2` with `RENAME_NOREPLACE` | a second name, then the first one is removed | nothing: healing knows both |
//! | `statx` detects mount points | not detected | a bind mount of the same device is mistaken for a directory |
//! | capabilities | only root is privileged | an error comes later, from the call that is denied |
//! | `getrandom` | `/dev/urandom` | names cannot be made if there is no /dev |
//!
//! Only Linux is tested.

use std::io;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, linkat, unlinkat};
use rustix::io::Errno;

/// Writes all data of this descriptor's filesystem to its disk, and reports any failure (Linux 5.8).
#[cfg(target_os = "linux")]
pub(crate) fn sync_filesystem(directory: impl AsFd) -> rustix::io::Result<()> {
    rustix::fs::syncfs(directory)
}

/// Fails, because no other system writes out one filesystem and reports errors. The caller syncs each file instead.
#[cfg(not(target_os = "linux"))]
pub(crate) fn sync_filesystem(_: impl AsFd) -> rustix::io::Result<()> {
    Err(Errno::NOSYS)
}

/// Whether one call can make a whole filesystem durable here.
pub(crate) const SYNCS_FILESYSTEMS: bool = cfg!(target_os = "linux");

/// Renames a symbolic link to a name that must not exist yet.
///
/// If the filesystem cannot do that (`EINVAL`), a second name for the same inode is made instead, which also fails if
/// the name exists. A process that is killed before the first name is removed leaves both. Healing then removes the
/// mark and keeps its generation.
pub(crate) fn rename_to_new_name(directory: impl AsFd, from: &str, to: &str) -> rustix::io::Result<()> {
    match rename_noreplace(directory.as_fd(), from, to) {
        Err(Errno::INVAL | Errno::NOSYS) => {
            linkat(directory.as_fd(), from, directory.as_fd(), to, AtFlags::empty())?;
            // The link is made. A mark that stays beside it does no harm, and healing removes it.
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

/// Returns whether a directory is a mount point. What is mounted there may belong to others, even if it is on the same
/// device. Before Linux 5.8 this is not detected.
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

/// Returns whether a file is on the proc filesystem, whose links may name objects without a path.
#[cfg(target_os = "linux")]
pub(crate) fn is_of_proc(file: impl AsFd) -> rustix::io::Result<bool> {
    rustix::fs::fstatfs(file).map(|found| found.f_type == rustix::fs::PROC_SUPER_MAGIC)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_of_proc(_: impl AsFd) -> rustix::io::Result<bool> {
    Ok(false)
}

/// Fills a buffer with random bytes of the operating system. Early in a boot, it waits until the system has some.
///
/// # Errors
///
/// The system has no such call. There is no fallback to weaker randomness.
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

/// A privilege of root, which other processes may have on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Privilege {
    /// Change the owner of a file.
    Chown,
    /// Change the mode and times of a file that belongs to another user.
    Fowner,
    /// Read and remove a file that belongs to another user.
    DacOverride,
}

impl Privilege {
    /// Returns its Linux name, for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chown => "CAP_CHOWN",
            Self::Fowner => "CAP_FOWNER",
            Self::DacOverride => "CAP_DAC_OVERRIDE",
        }
    }
}

/// Returns whether this process has a privilege. The filesystem may still deny each call.
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

/// Closes a descriptor, and reports the last errors of the filesystem. A drop would not report them.
///
/// The descriptor is closed even if this fails. On Linux this includes `EINTR`, after which no data is lost.
pub(crate) fn close(file: std::fs::File) -> io::Result<()> {
    match nix::unistd::close(file) {
        Err(nix::errno::Errno::EINTR) | Ok(()) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
