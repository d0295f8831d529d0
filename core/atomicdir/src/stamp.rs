//! The stamp: a file beside the link that is touched after a flip. It is for watchers that do not follow links, such as
//! a `.path` unit of systemd.

use std::fs::File;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fchmod, fstat, openat, statat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::clock;
use crate::error::At;
use crate::{AtomicDir, Error, FileName, Refusal, Result, Step};

/// Follows no link, and does not wait for the reader of a FIFO.
const TOUCH: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// Everyone may see when the set last changed.
const MODE: Mode = Mode::RUSR.union(Mode::WUSR).union(Mode::RGRP).union(Mode::ROTH);

impl AtomicDir {
    /// Sets the modification time of an empty file beside the link, and makes the file if it is missing. A watcher sees
    /// that it was closed after writing.
    ///
    /// # Errors
    ///
    /// A name that is reserved or that of the link, another kind of file under that name, and any error of the system.
    pub fn touch(&self, name: &FileName) -> Result<()> {
        self.ensure_touchable(name)?;
        let path = self.parent.join(name.as_str());
        let opened = openat(&self.parent.directory, name.as_str(), TOUCH, MODE);
        let file = File::from(opened.at(Step::Announce, "open", &path)?);
        // The opened file may not be the one that was checked.
        let found = fstat(&file).at(Step::Announce, "inspect", &path)?;
        ensure_stamp(&found, &path)?;
        if found.st_mode & 0o7777 != MODE.bits() {
            fchmod(&file, MODE).at(Step::Announce, "set the mode of", &path)?;
        }
        clock::set_modified(&file, self.options.clock.now()).at(Step::Announce, "set the time of", &path)
    }

    /// Checks that the name of the stamp is free, or is that of a stamp that was made here.
    pub(crate) fn ensure_touchable(&self, name: &FileName) -> Result<()> {
        let path = self.parent.join(name.as_str());
        let refused = |why: Refusal| Error::refuse(Step::Announce, "touch", &path, why);
        self.link.check_beside(name).map_err(|why| refused(why.into()))?;
        match statat(&self.parent.directory, name.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(()),
            found => ensure_stamp(&found.at(Step::Announce, "inspect", &path)?, &path),
        }
    }
}

/// Checks that a file can be one of our stamps.
fn ensure_stamp(found: &Stat, path: &Path) -> Result<()> {
    let (owner, user) = (found.st_uid, geteuid().as_raw());
    let why = match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile if found.st_nlink != 1 => Refusal::NotAStamp("a file with another name"),
        FileType::RegularFile if owner != user => Refusal::NotOurs { owner, user },
        FileType::RegularFile => return Ok(()),
        FileType::Directory => Refusal::NotAStamp("a directory"),
        FileType::Symlink => Refusal::NotAStamp("a symbolic link"),
        FileType::Fifo => Refusal::NotAStamp("a FIFO"),
        _ => Refusal::NotAStamp("something else"),
    };
    Err(Error::refuse(Step::Announce, "touch", path, why))
}
