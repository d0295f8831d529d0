//! A generation's directory, opened so that nothing planted under its name is taken for it.
//!
//! Where nobody but us can write to the parent, whatever has a name of ours is ours. Elsewhere somebody may have put another
//! directory under the name: one of their own, one of ours from another place, a link, or a mount. So the directory must
//! be one, on the parent's device, with nothing mounted on it, of an owner whom we trust. To change it, or to remove it, more is
//! asked for: its inode must be on record in the state directory, where nobody else can write.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;

use rustix::fs::{Mode, openat};
use rustix::io::Errno;

use crate::error::At;
use crate::names::Role;
use crate::parent::DIRECTORY;
use crate::state::State;
use crate::{AtomicDir, Error, Id, Refusal, Result, Step, platform};

/// An open generation, and what it was when it was opened: a directory on the parent's device, nothing mounted on it, and ours wherever others can write to the parent.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) directory: File,
    pub(crate) found: Metadata,
}

impl Generation {
    /// Opens a generation without following links: `None` if it is not there.
    ///
    /// # Errors
    ///
    /// Something else has its name, or it belongs to somebody whom we do not trust.
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

    /// Opens a generation to read it: `None` also if it belongs to somebody whom we do not trust, or no longer do. The
    /// link to it is ours all the same, and may be flipped away from it.
    pub(crate) fn open_if_ours(dir: &AtomicDir, step: Step, id: &Id) -> Result<Option<Self>> {
        match Self::open(dir, step, id) {
            Err(error) if matches!(error.refusal(), Some(Refusal::NotOurs { .. })) => Ok(None),
            opened => opened,
        }
    }

    /// Opens a generation to change it, or its times: `None` also if it is not on record as made here. Something else may
    /// have been renamed to its name.
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
