//! Reads a whole regular file into one buffer that is always wiped.

use std::os::fd::OwnedFd;

use rustix::buffer::spare_capacity;
use rustix::fs::{FileType, Stat, fstat};
use rustix::io::{Errno, pread, retry_on_intr};
use secretdir_provider::SecretBuffer;

use crate::error::FileFault;

/// The maximum size of a file: 16 MiB.
pub(crate) const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The most attempts to read a file that changes meanwhile.
const ATTEMPTS: usize = 4;

/// Returns the bytes of a regular file.
pub(crate) fn whole(file: &OwnedFd) -> Result<SecretBuffer, FileFault> {
    whole_with(file, || {})
}

/// Reads a file. `meanwhile` is called before the check for changes.
fn whole_with(file: &OwnedFd, mut meanwhile: impl FnMut()) -> Result<SecretBuffer, FileFault> {
    for _ in 0..ATTEMPTS {
        let before = FileState::at(file)?;
        let bytes = read_once(file, before.size).map_err(FileFault::Read)?;
        meanwhile();
        if bytes.len() == before.size && FileState::at(file)? == before {
            return Ok(bytes);
        }
    }
    Err(FileFault::Changed)
}

/// The data that shows a change of a file.
#[derive(PartialEq)]
struct FileState {
    size: usize,
    modified: (i128, i128),
}

impl FileState {
    /// Returns the state of a file, which must be regular and not too large.
    fn at(file: &OwnedFd) -> Result<Self, FileFault> {
        let stat: Stat = fstat(file).map_err(FileFault::Read)?;
        let file_type = FileType::from_raw_mode(stat.st_mode);
        if file_type != FileType::RegularFile {
            return Err(FileFault::NotRegular(file_type));
        }
        let bytes = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        let size = usize::try_from(bytes).ok().filter(|size| *size <= MOST_BYTES);
        let size = size.ok_or(FileFault::TooLarge { bytes })?;
        Ok(Self { size, modified: (stat.st_mtime.into(), stat.st_mtime_nsec.into()) })
    }
}

/// Reads from the start to the expected size, or to the end. The buffer is one byte larger than that, so that a larger
/// file is noticed. It never grows, because that would leave a copy of the value in freed memory.
///
/// If a file has the size that it promises, one call is enough. Its size afterwards shows that it ended there. A file
/// without a size, such as those of /proc, is still asked for a byte.
fn read_once(file: &OwnedFd, size: usize) -> Result<SecretBuffer, Errno> {
    let mut bytes = SecretBuffer::with_capacity(size + 1);
    loop {
        let offset = bytes.len() as u64;
        let read = retry_on_intr(|| pread(file, spare_capacity(bytes.reserved(0)), offset))?;
        if read == 0 || bytes.len() >= size {
            return Ok(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;
    use std::time::{Duration, SystemTime};

    use super::*;

    /// Makes a file with these bytes, open for reading and writing.
    fn file(bytes: &[u8]) -> (File, OwnedFd) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let reader = file.try_clone().unwrap().into();
        (file, reader)
    }

    #[test]
    fn the_buffer_never_grows() {
        let (_, reader) = file(&[7; 100_000]);
        let bytes = whole(&reader).unwrap();
        assert_eq!((bytes.len(), Vec::from(bytes).capacity()), (100_000, 100_001));
    }

    #[test]
    fn what_was_changed_meanwhile_is_read_again() {
        let (mut writer, reader) = file(b"old");
        let mut left = 1;
        let grow_once = || {
            if left > 0 {
                left -= 1;
                writer.write_all(b" and new").unwrap();
            }
        };
        assert_eq!(whole_with(&reader, grow_once).unwrap().expose_secret(), b"old and new");
    }

    #[test]
    fn what_never_rests_is_refused() {
        let (writer, reader) = file(b"value");
        let mut times = 0;
        let touch = || {
            times += 1;
            writer.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(times)).unwrap();
        };
        assert_eq!(whole_with(&reader, touch).unwrap_err(), FileFault::Changed);
        assert_eq!(times, ATTEMPTS as u64);
    }

    #[test]
    fn a_size_that_is_not_true_is_refused() {
        let (_, reader) = file(b"value");
        // A size that is too large, as after a truncation, and one that is too small, as after an append.
        assert_eq!(read_once(&reader, 9).unwrap().len(), 5);
        assert_eq!(read_once(&reader, 3).unwrap().len(), 4);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_whose_size_the_system_does_not_know_is_refused() {
        let reader = File::open("/proc/version").unwrap().into();
        assert_eq!(whole(&reader).unwrap_err(), FileFault::Changed);
    }

    #[test]
    fn the_limit_is_the_last_size_that_is_read() {
        let (writer, reader) = file(b"");
        writer.set_len(MOST_BYTES as u64).unwrap();
        assert_eq!(whole(&reader).unwrap().len(), MOST_BYTES);
        writer.set_len(MOST_BYTES as u64 + 1).unwrap();
        assert_eq!(whole(&reader).unwrap_err(), FileFault::TooLarge { bytes: MOST_BYTES as u64 + 1 });
    }

    #[test]
    fn a_device_is_refused_before_it_is_read() {
        let reader = File::open("/dev/zero").unwrap().into();
        assert_eq!(whole(&reader).unwrap_err(), FileFault::NotRegular(FileType::CharacterDevice));
    }
}
