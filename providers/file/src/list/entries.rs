//! What is in one directory.

use std::ffi::CStr;
use std::os::fd::BorrowedFd;

use rustix::fs::FileType;
use rustix::io::Errno;

/// Room for as many entries as are listed, each with the longest name. What is larger takes more than one call.
#[cfg(target_os = "linux")]
const ROOM: usize = super::MOST_ENTRIES * 280;

/// Goes through a directory, by one call: as long as that takes, the kernel lets nobody make, rename or remove what is in it.
#[cfg(target_os = "linux")]
pub(super) fn each<E>(
    directory: BorrowedFd<'_>,
    failed: impl Fn(Errno) -> E,
    mut take: impl FnMut(&CStr, FileType) -> Result<(), E>,
) -> Result<(), E> {
    let mut buffer = Vec::with_capacity(ROOM);
    let mut entries = rustix::fs::RawDir::new(directory, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        match entry {
            Ok(entry) => take(entry.file_name(), entry.file_type())?,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    Ok(())
}

/// Goes through a directory.
#[cfg(not(target_os = "linux"))]
pub(super) fn each<E>(
    directory: BorrowedFd<'_>,
    failed: impl Fn(Errno) -> E,
    mut take: impl FnMut(&CStr, FileType) -> Result<(), E>,
) -> Result<(), E> {
    for entry in rustix::fs::Dir::read_from(directory).map_err(&failed)? {
        let entry = entry.map_err(&failed)?;
        take(entry.file_name(), entry.file_type())?;
    }
    Ok(())
}
