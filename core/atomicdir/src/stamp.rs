//! A file beside the link that is touched after a flip: for watchers that follow no links, such as a `.path` unit of systemd.

use std::fs::File;
use std::os::unix::fs::MetadataExt;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, fchmod, openat, statat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::clock;
use crate::error::At;
use crate::{AtomicDir, Error, FileName, Refusal, Result, Step};

/// Through no link, and not waiting for the reader of a FIFO.
const TOUCH: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// Everyone may see when the set has changed last.
const MODE: Mode = Mode::RUSR.union(Mode::WUSR).union(Mode::RGRP).union(Mode::ROTH);

impl AtomicDir {
    /// Sets the modification time of an empty file beside the link, and makes it if there is none. Whoever watches it hears that
    /// it was closed after writing.
    ///
    /// # Errors
    ///
    /// A name that is reserved or that of the link, something else under that name, and whatever the system says.
    pub fn touch(&self, name: &FileName) -> Result<()> {
        self.ensure_touchable(name)?;
        let path = self.parent.join(name.as_str());
        let refused = |why: Refusal| Error::refuse(Step::Announce, "touch", &path, why);
        let opened = openat(&self.parent.directory, name.as_str(), TOUCH, MODE);
        let file = File::from(opened.at(Step::Announce, "open", &path)?);
        let found = file.metadata().at(Step::Announce, "inspect", &path)?;
        let (owner, user) = (found.uid(), geteuid().as_raw());
        if !found.is_file() || found.nlink() != 1 {
            return Err(refused(Refusal::NotOfOurMaking));
        }
        if owner != user {
            return Err(refused(Refusal::NotOurs { owner, user }));
        }
        if found.mode() & 0o7777 != MODE.bits() {
            fchmod(&file, MODE).at(Step::Announce, "set the mode of", &path)?;
        }
        clock::set_modified(&file, self.options.clock.now()).at(Step::Announce, "set the time of", &path)
    }

    /// Ensures that nothing is in the place of the stamp but one that was made here. What opens may be something else by then, so it
    /// is looked at again.
    pub(crate) fn ensure_touchable(&self, name: &FileName) -> Result<()> {
        let path = self.parent.join(name.as_str());
        let refused = |why: Refusal| Error::refuse(Step::Announce, "touch", &path, why);
        self.link.check_beside(name).map_err(|why| refused(why.into()))?;
        let found = match statat(&self.parent.directory, name.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(()),
            found => found.at(Step::Announce, "inspect", &path)?,
        };
        let (owner, user) = (found.st_uid, geteuid().as_raw());
        match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile if found.st_nlink != 1 => {
                Err(refused(Refusal::NotAStamp("a file with another name")))
            }
            FileType::RegularFile if owner != user => Err(refused(Refusal::NotOurs { owner, user })),
            FileType::RegularFile => Ok(()),
            FileType::Directory => Err(refused(Refusal::NotAStamp("a directory"))),
            FileType::Symlink => Err(refused(Refusal::NotAStamp("a symbolic link"))),
            FileType::Fifo => Err(refused(Refusal::NotAStamp("a FIFO"))),
            _ => Err(refused(Refusal::NotAStamp("something else"))),
        }
    }
}
