//! The entries of one directory.

use std::ffi::CStr;
use std::os::fd::BorrowedFd;

use rustix::fs::FileType;
use rustix::io::Errno;

/// The size of the buffer. It fits the most entries that are listed, with names of the maximum length. A larger
/// directory needs several calls.
#[cfg(target_os = "linux")]
const ROOM: usize = super::MOST_ENTRIES * 280;

/// Passes each entry of a directory to a function. One call reads them, and during the call the kernel lets no process
/// create, rename or remove an entry.
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

/// Passes each entry of a directory to a function.
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
