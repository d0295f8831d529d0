//! Makes a directory and opens it. A user who may rename entries of the directory above can put another one in its
//! place before it is opened. So the opened directory is used only if it is as mkdir makes it: empty, ours, closed to
//! all others, and on the same device.
//!
//! One attack remains for such a user: to put another directory with the same properties in place. It is just as good.
//! It is empty, and only we can enter it. It is filled and published by its descriptor, and its name is checked before
//! the flip.

use std::fs::{File, Metadata};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, Mode, mkdirat, openat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::error::At;
use crate::parent::DIRECTORY;
use crate::{Error, Refusal, Result, Step, acl};

/// The permissions that mkdir is asked for, and the set-group-ID bit that the directory above may add.
const BORN: u32 = 0o2700;

/// Makes a directory with mode 0700 and opens it: `None` if the name is taken.
///
/// # Errors
///
/// The directory cannot be made or opened, or another one was opened. If a umask keeps us from opening it, it is
/// removed.
pub(crate) fn make(
    above: impl AsFd,
    name: &Path,
    device: u64,
    step: Step,
    path: &Path,
) -> Result<Option<File>> {
    match mkdirat(&above, name, Mode::RWXU) {
        Err(Errno::EXIST) => return Ok(None),
        made => made.at(step, "create", path)?,
    }
    let opened = open(&above, name, device, step, path);
    if opened.as_ref().is_err_and(|error| error.refusal() == Some(&Refusal::Umask)) {
        unlinkat(&above, name, AtFlags::REMOVEDIR).at(step, "remove", path)?;
    }
    opened.map(Some)
}

/// Opens a directory that was just made with mode 0700, and removes inherited access control lists from it. Such a list
/// would let others in, regardless of its later mode. All files made in the directory would inherit it too.
///
/// # Errors
///
/// The directory is not the one that was made. Or it cannot be opened, because a umask removed its owner's permissions.
pub(crate) fn open(above: impl AsFd, name: &Path, device: u64, step: Step, path: &Path) -> Result<File> {
    let opened = open_within(above, name, step, path)?;
    let found = opened.metadata().at(step, "inspect", path)?;
    if !is_as_made(&found, device) || !is_empty(&opened).at(step, "list", path)? {
        return Err(swapped(step, path));
    }
    acl::clear(&opened).at(step, "take the access control list off", path)?;
    Ok(opened)
}

/// Opens a directory that was just made with mode 0700, where no other user can rename entries. Another run may have
/// put files into it.
///
/// # Errors
///
/// The directory does not have the owner, mode or device of a new one, or cannot be opened.
pub(crate) fn open_in_use(
    above: impl AsFd,
    name: &Path,
    device: u64,
    step: Step,
    path: &Path,
) -> Result<File> {
    let opened = open_within(above, name, step, path)?;
    if !is_as_made(&opened.metadata().at(step, "inspect", path)?, device) {
        return Err(swapped(step, path));
    }
    acl::clear(&opened).at(step, "take the access control list off", path)?;
    Ok(opened)
}

/// Opens a directory that was just made in one that no other user can enter.
///
/// # Errors
///
/// The directory is missing. Or it cannot be opened, because a umask removed its owner's permissions.
pub(crate) fn open_within(above: impl AsFd, name: &Path, step: Step, path: &Path) -> Result<File> {
    match openat(above, name, DIRECTORY, Mode::empty()) {
        Err(Errno::ACCESS) => Err(Error::refuse(step, "open", path, Refusal::Umask)),
        Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => Err(swapped(step, path)),
        opened => opened.map(File::from).at(step, "open", path),
    }
}

/// Returns the error for a directory that is not the one that was made.
fn swapped(step: Step, path: &Path) -> Error {
    Error::refuse(step, "use", path, Refusal::Swapped)
}

/// Returns whether a directory is as mkdir makes it: ours, closed to all others, and on this device.
fn is_as_made(found: &Metadata, device: u64) -> bool {
    found.uid() == geteuid().as_raw() && found.mode() & 0o7777 & !BORN == 0 && found.dev() == device
}

/// Returns whether a directory is empty.
pub(crate) fn is_empty(directory: &File) -> rustix::io::Result<bool> {
    for entry in Dir::read_from(directory)? {
        if !matches!(entry?.file_name().to_bytes(), b"." | b"..") {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test may go by paths: its folder is its own")]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn only_what_mkdir_makes_is_taken_for_new() {
        let folder = TempDir::new().unwrap();
        let (above, made) = (File::open(folder.path()).unwrap(), folder.path().join("made"));
        let device = above.metadata().unwrap().dev();
        let is_new = |device| open(&above, Path::new("made"), device, Step::Stage, &made).is_ok();
        fs::create_dir(&made).unwrap();
        for (mode, expected) in
            [(0o700, true), (0o2700, true), (0o710, false), (0o701, false), (0o1700, false)]
        {
            fs::set_permissions(&made, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_new(device), expected, "{mode:o}");
        }
        fs::set_permissions(&made, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!is_new(device + 1));
        fs::write(made.join("file"), "").unwrap();
        assert!(!is_new(device));
        fs::remove_dir_all(&made).unwrap();
        assert!(!is_new(device));
        std::os::unix::fs::symlink(".", &made).unwrap();
        assert!(!is_new(device));
    }
}
