//! A directory that has just been made. Whoever may rename things in the directory above can put another one in its place
//! before it is opened, so what is opened is used only if it is what mkdir makes: empty, ours, closed to everyone else,
//! and on the same device.
//!
//! One attack is left to whoever may rename things there: to have made such a directory before, and put it in place. It is as
//! good as the one that was made. It is empty, nobody but us can enter it, and it is filled and published by its
//! descriptor; whether it has kept its name is looked at before the flip.

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

/// The permissions that mkdir is asked for, and the set-group-ID bit that the directory above may hand down.
const BORN: u32 = 0o2700;

/// Makes a directory with mode 0700 and opens it: `None` if something of that name is there.
///
/// # Errors
///
/// It could not be made or opened, or what was opened is not what was made. One that a umask keeps us from opening is removed.
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

/// Opens a directory that was just made with mode 0700, and takes inherited access control lists off it. Such a list would let
/// others in, whatever the mode says later, and all that is made in the directory would inherit it.
///
/// # Errors
///
/// It is not the one that was made, or cannot be opened because a umask took its owner's permissions away.
pub(crate) fn open(above: impl AsFd, name: &Path, device: u64, step: Step, path: &Path) -> Result<File> {
    let opened = open_within(above, name, step, path)?;
    let found = opened.metadata().at(step, "inspect", path)?;
    if !is_as_made(&found, device) || !is_empty(&opened).at(step, "list", path)? {
        return Err(swapped(step, path));
    }
    acl::clear(&opened).at(step, "take the access control list off", path)?;
    Ok(opened)
}

/// Opens a directory that was just made with mode 0700 where nobody but this user can rename anything, though another run may
/// have put something into it.
///
/// # Errors
///
/// Its owner, mode or device is not that of one that was made, or it cannot be opened.
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

/// Opens a directory that was just made in one that nobody else can enter.
///
/// # Errors
///
/// It is not there, or cannot be opened because a umask took its owner's permissions away.
pub(crate) fn open_within(above: impl AsFd, name: &Path, step: Step, path: &Path) -> Result<File> {
    match openat(above, name, DIRECTORY, Mode::empty()) {
        Err(Errno::ACCESS) => Err(Error::refuse(step, "open", path, Refusal::Umask)),
        Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => Err(swapped(step, path)),
        opened => opened.map(File::from).at(step, "open", path),
    }
}

/// Returns the error for something that is not what was made.
fn swapped(step: Step, path: &Path) -> Error {
    Error::refuse(step, "use", path, Refusal::Swapped)
}

/// Says whether a directory is ours, closed to everyone else and on the device, as mkdir makes it.
fn is_as_made(found: &Metadata, device: u64) -> bool {
    found.uid() == geteuid().as_raw() && found.mode() & 0o7777 & !BORN == 0 && found.dev() == device
}

/// Says whether a directory holds nothing.
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
