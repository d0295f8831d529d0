//! Empties a directory of any depth, with a fixed number of descriptors and without recursion. The owner of a
//! generation may nest directories as deep as the filesystem allows.
//!
//! A directory below the top that is not empty is first moved up to the top. So everything is at most one level away.
//! Directories on another device and mount points are not entered, and no link is followed. The work is limited,
//! because the owner may keep adding files. The next run removes the rest.
//!
//! Recursion with open descriptors would need one for each level, and the usual limit of a process is 1,024. Recursion
//! by path could follow a link that the owner puts in the way between two checks, and paths end at 4,096 bytes.
//!
//! A directory that is moved up is named by a dot and a number. A name that is taken is skipped: the kernel never lets
//! a directory replace a file or a directory that is not empty.
//!
//! A reader may still have the directory open, but without a pin. It finds files missing, sees that the link names
//! another generation, and starts again.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, fchmod, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

use crate::error::At;
use crate::parent::DIRECTORY;
use crate::{Error, Refusal, Result, Step, platform};

/// The maximum number of names that one run removes from one generation.
const MOST: usize = 1 << 20;

/// The emptying of one directory.
pub(crate) struct ContentsRemover<'t> {
    step: Step,
    top: &'t File,
    path: &'t Path,
    device: u64,
    /// The directories at the top that are not empty yet.
    rest: Vec<CString>,
    /// The number of entries handled so far. It also numbers the directories that are moved up.
    count: usize,
}

/// Removes everything in a directory.
///
/// # Errors
///
/// The first failure to remove an entry. Other entries may be gone already.
pub(crate) fn empty(step: Step, top: &File, path: &Path) -> Result<()> {
    let found = top.metadata().at(step, "inspect", path)?;
    open_up(step, top, found.mode(), path)?;
    let mut emptying = ContentsRemover { step, top, path, device: found.dev(), rest: Vec::new(), count: 0 };
    emptying.clear_top()?;
    while let Some(name) = emptying.rest.pop() {
        emptying.clear(&name)?;
    }
    Ok(())
}

/// Lets an owner who is not root remove the entries of a directory. The other bits stay: a reader who has just followed
/// the link must still be able to enter, to see that it is too late.
fn open_up(step: Step, directory: &File, mode: u32, path: &Path) -> Result<()> {
    if mode & 0o700 == 0o700 {
        return Ok(());
    }
    let mode = Mode::from_raw_mode(mode & 0o777).union(Mode::RWXU);
    fchmod(directory, mode).at(step, "set the mode of", path)
}

impl ContentsRemover<'_> {
    /// Removes the entries at the top. Directories are only collected.
    fn clear_top(&mut self) -> Result<()> {
        for entry in Dir::read_from(self.top).at(self.step, "list", self.path)? {
            let entry = entry.at(self.step, "list", self.path)?;
            let name = entry.file_name();
            match self.kind(self.top, name, entry.file_type())? {
                None => {}
                Some(FileType::Directory) => self.rest.push(name.to_owned()),
                Some(_) => self.unlink(self.top, name)?,
            }
        }
        Ok(())
    }

    /// Empties and removes one directory at the top. Its subdirectories are moved up.
    fn clear(&mut self, name: &CStr) -> Result<()> {
        let Some(directory) = self.enter(self.top, name)? else { return self.remove(name) };
        for entry in Dir::read_from(&directory).at(self.step, "list", self.path)? {
            let entry = entry.at(self.step, "list", self.path)?;
            let below = entry.file_name();
            match self.kind(&directory, below, entry.file_type())? {
                None => {}
                Some(FileType::Directory) => self.move_up(&directory, below)?,
                Some(_) => self.unlink(&directory, below)?,
            }
        }
        self.remove(name)
    }

    /// Counts an entry and returns its type: `None` for `.` and `..`.
    fn kind(&mut self, above: &File, name: &CStr, kind: FileType) -> Result<Option<FileType>> {
        if matches!(name.to_bytes(), b"." | b"..") {
            return Ok(None);
        }
        self.count += 1;
        if self.count > MOST {
            return Err(Error::refuse(self.step, "empty", self.path, Refusal::TooMuch(MOST)));
        }
        if kind != FileType::Unknown {
            return Ok(Some(kind));
        }
        let found = statat(above, name, AtFlags::SYMLINK_NOFOLLOW);
        let found = found.at(self.step, "inspect", self.join(name))?;
        Ok(Some(FileType::from_raw_mode(found.st_mode)))
    }

    /// Opens a directory to empty it. `None` if it is gone, or if a umask locks out its owner: it is then empty.
    fn enter(&self, above: &File, name: &CStr) -> Result<Option<File>> {
        let path = || self.join(name);
        let directory = match openat(above, name, DIRECTORY, Mode::empty()) {
            Err(Errno::ACCESS | Errno::NOENT) => return Ok(None),
            opened => File::from(opened.at(self.step, "open", path())?),
        };
        let found = directory.metadata().at(self.step, "inspect", path())?;
        let mounted = platform::is_mount_point(&directory).at(self.step, "inspect", path())?;
        if mounted || found.dev() != self.device {
            return Err(Error::refuse(self.step, "enter", path(), Refusal::NotAGeneration));
        }
        open_up(self.step, &directory, found.mode(), &path())?;
        Ok(Some(directory))
    }

    /// Removes an empty directory, or moves it to the top under an unused name.
    fn move_up(&mut self, above: &File, name: &CStr) -> Result<()> {
        match unlinkat(above, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            removed => return removed.at(self.step, "remove", self.join(name)),
        }
        self.enter(above, name)?;
        loop {
            let free = CString::new(format!(".{}", self.count)).unwrap_or_default();
            match renameat(above, name, self.top, &free) {
                Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) if self.count < MOST => self.count += 1,
                moved => {
                    moved.at(self.step, "move", self.join(name))?;
                    self.rest.push(free);
                    return Ok(());
                }
            }
        }
    }

    /// Removes an entry that is not a directory. If it has become one, this fails, and the next run handles it.
    fn unlink(&self, above: &File, name: &CStr) -> Result<()> {
        unlinkat(above, name, AtFlags::empty()).at(self.step, "remove", self.join(name))
    }

    /// Removes an empty directory at the top.
    fn remove(&self, name: &CStr) -> Result<()> {
        match unlinkat(self.top, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOENT) => Ok(()),
            removed => removed.at(self.step, "remove", self.join(name)),
        }
    }

    /// Returns the path of a name for messages. If the entry was moved up, its original path is not known.
    fn join(&self, name: &CStr) -> std::path::PathBuf {
        self.path.join(name.to_string_lossy().as_ref())
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test may go by paths: its folder is its own")]
mod tests {
    use std::fs;

    use rustix::fs::{CWD, mkdirat};
    use tempfile::TempDir;

    use super::*;

    /// Nests directories, each with a file, deeper than a path can be long.
    fn nest(folder: &Path, depth: usize) {
        let mut here = File::open(folder).unwrap();
        for _ in 0..depth {
            mkdirat(&here, "a-rather-long-name", Mode::RWXU).unwrap();
            mkdirat(&here, ".1", Mode::RWXU).unwrap();
            here = openat(&here, "a-rather-long-name", DIRECTORY, Mode::empty()).unwrap().into();
            openat(&here, "file", crate::staging::CREATE, Mode::RUSR).unwrap();
        }
    }

    #[test]
    fn what_is_nested_however_deep_is_removed() {
        let folder = TempDir::new().unwrap();
        nest(folder.path(), 1_500);
        let top = File::open(folder.path()).unwrap();
        empty(Step::Retire, &top, folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn no_link_is_followed() {
        let folder = TempDir::new().unwrap();
        let (top, other) = (folder.path().join("top"), folder.path().join("other"));
        fs::create_dir_all(top.join("below/deep")).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(other.join("precious"), "data").unwrap();
        for link in ["link", "below/link", "below/deep/link"] {
            std::os::unix::fs::symlink(&other, top.join(link)).unwrap();
        }
        let opened = openat(CWD, &top, DIRECTORY, Mode::empty()).unwrap();
        empty(Step::Retire, &File::from(opened), &top).unwrap();
        assert_eq!(fs::read_dir(&top).unwrap().count(), 0);
        assert_eq!(fs::read_to_string(other.join("precious")).unwrap(), "data");
    }
}
