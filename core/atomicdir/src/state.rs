//! The directory beside the link that only the publisher can enter: the lock, the records and the notes of the
//! generations. What changes in it changes nothing in the parent, so a watcher of the parent hears of flips alone.
//!
//! | name | what it is |
//! |---|---|
//! | `lock` | held by one run at a time; its modification time is that of the last successful run |
//! | `made-ID` | the record of a generation: a symbolic link whose text is the inode number of its directory |
//! | `note-ID` | what the publisher notes of a generation |
//!
//! A record is a link because its text is written by the one call that makes it, and goes to disk with its name: no kill
//! and no power cut leaves half of it. It has no device number, which may be another after a reboot: whatever it speaks of
//! must lie on the device that the record itself is on.
//!
//! All that is believed of a generation comes from here, since nobody but the publisher and root can write here. So the
//! directory itself must be trusted first: it must be a directory of ours on the parent's device, and hold nothing but names of
//! ours if its mode is not the one that we give it. It is opened once for a run, and every note and record is reached by
//! that descriptor; right before the flip it is looked at whether the name still leads there.
//!
//! It can be removed while no run is under way. Then no superseded generation is known any more, so each stays and is
//! reported; the current one is put on record again by the next run that finds it unchanged.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, Mode, fchmod, fsync, openat, readlinkat, symlinkat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::error::At;
use crate::names::{LOCK, StateName};
use crate::parent::DIRECTORY;
use crate::{AtomicDir, Error, Id, Refusal, Result, Step, acl, made};

/// The state directory, opened.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) directory: File,
    /// For messages.
    pub(crate) path: PathBuf,
    /// What it was when it was opened.
    found: Metadata,
}

impl State {
    /// Opens the state directory, making it the first time. Two first runs may do so at once: one makes it, both use it.
    pub(crate) fn open_or_make(dir: &AtomicDir) -> Result<Self> {
        let (name, path) = (dir.link.state(), dir.parent.join(&dir.link.state()));
        let (parent, device) = (&dir.parent.directory, dir.parent.device);
        let opened = match Self::open(dir, Step::Lock) {
            // A umask without its owner's bits made it, and its run was killed: then it is empty.
            Err(error) if error.is_denied() && unlinkat(parent, &name, AtFlags::REMOVEDIR).is_ok() => None,
            opened => opened?,
        };
        if let Some(state) = opened {
            return state.claimed();
        }
        match made::make(parent, name.as_ref(), device, Step::Lock, &path) {
            Ok(Some(directory)) => Self::of(directory, path, Step::Lock),
            Ok(None) => Self::of_another_run(dir, &path),
            // The directory that we have made may hold what another first run has put into it by now.
            Err(error) if error.refusal() == Some(&Refusal::Swapped) => Self::of_another_run(dir, &path),
            Err(error) => Err(error),
        }
    }

    /// Opens the directory that another first run has made, or uses already. It must be as one of ours is.
    fn of_another_run(dir: &AtomicDir, path: &Path) -> Result<Self> {
        let found = Self::open(dir, Step::Lock)?;
        let found = found.ok_or_else(|| Error::refuse(Step::Lock, "use", path, Refusal::Swapped))?;
        let state = found.claimed()?;
        state.ensure_familiar()?;
        acl::clear(&state.directory).at(Step::Lock, "take the access control list off", path)?;
        Ok(state)
    }

    /// Opens the state directory: `None` if there is none.
    pub(crate) fn open(dir: &AtomicDir, step: Step) -> Result<Option<Self>> {
        let name = dir.link.state();
        let path = dir.parent.join(&name);
        let directory = match openat(&dir.parent.directory, &name, DIRECTORY, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => {
                return Err(Error::refuse(step, "use", path, Refusal::NotOfOurMaking));
            }
            opened => File::from(opened.at(step, "open", &path)?),
        };
        let state = Self::of(directory, path, step)?;
        if state.found.dev() != dir.parent.device {
            return Err(Error::refuse(step, "use", state.path, Refusal::NotOfOurMaking));
        }
        dir.parent.ensure_ours(step, &name, state.found.uid(), None)?;
        Ok(Some(state))
    }

    /// Remembers what was opened.
    fn of(directory: File, path: PathBuf, step: Step) -> Result<Self> {
        let found = directory.metadata().at(step, "inspect", &path)?;
        Ok(Self { directory, path, found })
    }

    /// Ensures that it belongs to this process's user. Root does not use that of another user: whoever may write to it says
    /// what is removed.
    pub(crate) fn ensure_ours(&self) -> Result<()> {
        let (owner, user) = (self.found.uid(), geteuid().as_raw());
        if owner != user {
            return Err(Error::refuse(Step::Lock, "use", &self.path, Refusal::NotOurs { owner, user }));
        }
        Ok(())
    }

    /// Makes sure that an existing directory is ours, and closed to others, before anything is made in it.
    fn claimed(self) -> Result<Self> {
        self.ensure_ours()?;
        if self.found.mode() & 0o7777 != 0o700 {
            self.ensure_familiar()?;
            fchmod(&self.directory, Mode::RWXU).at(Step::Lock, "set the mode of", &self.path)?;
        }
        Ok(self)
    }

    /// Refuses a directory that holds what we never put there: whoever can rename things in the
    /// parent may have given its name to another directory of the same user.
    pub(crate) fn ensure_familiar(&self) -> Result<()> {
        let strange = |name: &std::ffi::CStr| name.to_str().ok().and_then(StateName::parse).is_none();
        for entry in Dir::read_from(&self.directory).at(Step::Lock, "list", &self.path)? {
            let entry = entry.at(Step::Lock, "list", &self.path)?;
            let name = entry.file_name();
            if !matches!(name.to_bytes(), b"." | b"..") && strange(name) {
                let path = self.path.join(name.to_string_lossy().as_ref());
                return Err(Error::refuse(Step::Lock, "use a directory with", path, Refusal::NotOfOurMaking));
            }
        }
        Ok(())
    }

    /// Ensures that the parent still has this directory under its name.
    pub(crate) fn ensure_in_place(&self, dir: &AtomicDir, step: Step) -> Result<()> {
        match Self::open(dir, step)? {
            Some(found) if found.found.ino() == self.found.ino() => Ok(()),
            _ => Err(Error::refuse(step, "rely on", self.join(LOCK), Refusal::LockRemoved)),
        }
    }

    /// Returns the path of a name in it, for messages.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Records which directory is the generation of this ID. One call makes all of the record.
    pub(crate) fn record(&self, dir: &AtomicDir, step: Step, id: &Id, inode: u64) -> Result<()> {
        let name = StateName::Record(id.clone()).to_string();
        let path = self.join(&name);
        symlinkat(inode.to_string(), &self.directory, &name).at(step, "create", &path)?;
        // An fsync of a file in the generation may bring the file to disk without what was made before it.
        if dir.options.durability.syncs_each() {
            fsync(&self.directory).at(step, "sync", &self.path)?;
        }
        Ok(())
    }

    /// Returns the inode number of the directory that is on record as the generation of this ID. A record that is no link, or
    /// no number, is none.
    pub(crate) fn recorded(&self, step: Step, id: &Id) -> Result<Option<u64>> {
        let name = StateName::Record(id.clone()).to_string();
        match readlinkat(&self.directory, &name, Vec::new()) {
            Err(Errno::NOENT | Errno::INVAL) => Ok(None),
            text => {
                Ok(text.at(step, "read", self.join(&name))?.to_str().ok().and_then(|text| text.parse().ok()))
            }
        }
    }
}
