//! The directory of a generation, opened so that nothing planted under its name is mistaken for it.
//!
//! If only we can write to the parent, every file under one of our names is ours. Otherwise another user may have put
//! something else there: a directory of their own, one of ours from another place, a link, or a mount. So it must be a
//! directory on the parent's device, not a mount point, and belong to a trusted user. Changing or removing it also
//! needs a record of its inode in the state directory, where no other user can write.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;

use rustix::fs::{Mode, openat};
use rustix::io::Errno;

use crate::error::At;
use crate::names::Role;
use crate::parent::DIRECTORY;
use crate::state::State;
use crate::{AtomicDir, Error, Id, Refusal, Result, Step, platform};

/// An open generation, with its metadata when it was opened. It is a directory on the parent's device and no mount
/// point. If others can write to the parent, it also belongs to a trusted user.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) directory: File,
    pub(crate) found: Metadata,
}

impl Generation {
    /// Opens a generation without following links: `None` if it is missing.
    ///
    /// # Errors
    ///
    /// Something else has its name, or it belongs to an untrusted user.
    pub(crate) fn open(dir: &AtomicDir, step: Step, id: &Id) -> Result<Option<Self>> {
        let name = dir.link.name(Role::Generation, id);
        let path = || dir.parent.join(&name);
        let refuse = || Error::refuse(step, "use", path(), Refusal::NotAGeneration);
        let directory = match openat(&dir.parent.directory, &name, DIRECTORY, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => return Err(refuse()),
            opened => File::from(opened.at(step, "open", path())?),
        };
        let found = directory.metadata().at(step, "inspect", path())?;
        let mounted = platform::is_mount_point(&directory).at(step, "inspect", path())?;
        if mounted || found.dev() != dir.parent.device {
            return Err(refuse());
        }
        dir.parent.ensure_ours(step, &name, found.uid(), dir.options.directory.owner.user)?;
        Ok(Some(Self { directory, found }))
    }

    /// Opens a generation to read it: `None` also if it belongs to an untrusted user, or to one that is no longer
    /// trusted. The link to it is still ours, and may be flipped to another generation.
    pub(crate) fn open_if_ours(dir: &AtomicDir, step: Step, id: &Id) -> Result<Option<Self>> {
        match Self::open(dir, step, id) {
            Err(error) if matches!(error.refusal(), Some(Refusal::NotOurs { .. })) => Ok(None),
            opened => opened,
        }
    }

    /// Opens a generation to change it or its times: `None` also if no record says that it was made here. Another
    /// directory may have been renamed to its name.
    pub(crate) fn open_if_recorded(
        dir: &AtomicDir,
        state: &State,
        step: Step,
        id: &Id,
    ) -> Result<Option<Self>> {
        let opened = Self::open_if_ours(dir, step, id)?;
        let recorded = state.recorded(step, id)?;
        Ok(opened.filter(|generation| Some(generation.found.ino()) == recorded))
    }
}
