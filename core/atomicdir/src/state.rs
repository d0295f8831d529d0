//! The state directory beside the link, which only the publisher can enter. It holds the locks, and the records and
//! notes of the generations. Changes in it do not change the parent, so a watcher of the parent sees only flips.
//!
//! | name | what it is |
//! |---|---|
//! | `lock` | held by one run at a time; its modification time is that of the last successful run |
//! | `keeper` | held by the process that keeps the set current; its contents are that process's text |
//! | `made-ID` | the record of a generation: a symbolic link whose text is the inode number of its directory |
//! | `note-ID` | the publisher's note about a generation |
//!
//! A record is a symbolic link because one call makes it with its text, and both go to disk with its name. So no kill
//! and no power cut leaves half a record. It has no device number, which may change at a reboot: the generation must be
//! on the record's own device.
//!
//! Only the publisher and root can write here. So all trust in a generation comes from here, and this directory itself
//! must be checked first. It must be a directory of ours on the parent's device. If its mode is not the one that we
//! set, it must also hold only names of ours. A run opens it once, and reaches every note and record by that
//! descriptor. Right before the flip, it checks that the name still leads there.
//!
//! The directory may be removed while no run is in progress. Then superseded generations have no records, so each stays
//! and is reported. The current generation is recorded again by the next run that finds it unchanged.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, Mode, fchmod, fsync, openat, readlinkat, symlinkat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::error::At;
use crate::names::{LOCK, StateName};
use crate::parent::DIRECTORY;
use crate::{AtomicDir, Error, Id, Refusal, Result, Step, acl, new_directory};

/// The open state directory.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) directory: File,
    /// The path, for messages.
    pub(crate) path: PathBuf,
    /// Its metadata when it was opened.
    found: Metadata,
}

impl State {
    /// Opens the state directory, and makes it the first time. Two first runs may race: one makes it, and both use it.
    pub(crate) fn open_or_make(dir: &AtomicDir) -> Result<Self> {
        let (name, path) = (dir.link.state(), dir.parent.join(&dir.link.state()));
        let (parent, device) = (&dir.parent.directory, dir.parent.device);
        let opened = match Self::open(dir, Step::Lock) {
            // Its run had a umask that removes the owner's bits, and was killed: then it is empty.
            Err(error) if error.is_denied() && unlinkat(parent, &name, AtFlags::REMOVEDIR).is_ok() => None,
            opened => opened?,
        };
        if let Some(state) = opened {
            return state.claimed();
        }
        match new_directory::make(parent, name.as_ref(), device, Step::Lock, &path) {
            Ok(Some(directory)) => Self::of(directory, path, Step::Lock),
            Ok(None) => Self::of_another_run(dir, &path),
            // Another first run may already have put files into the new directory.
            Err(error) if error.refusal() == Some(&Refusal::Swapped) => Self::of_another_run(dir, &path),
            Err(error) => Err(error),
        }
    }

    /// Opens the directory that another first run has made or already uses. It must have the properties of one of ours.
    fn of_another_run(dir: &AtomicDir, path: &Path) -> Result<Self> {
        let found = Self::open(dir, Step::Lock)?;
        let found = found.ok_or_else(|| Error::refuse(Step::Lock, "use", path, Refusal::Swapped))?;
        let state = found.claimed()?;
        state.ensure_only_known_names()?;
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

    /// Keeps the open directory with its path and metadata.
    fn of(directory: File, path: PathBuf, step: Step) -> Result<Self> {
        let found = directory.metadata().at(step, "inspect", &path)?;
        Ok(Self { directory, path, found })
    }

    /// Checks that the directory belongs to the current user. Not even root uses that of another user: its contents
    /// decide what is removed.
    pub(crate) fn ensure_ours(&self) -> Result<()> {
        let (owner, user) = (self.found.uid(), geteuid().as_raw());
        if owner != user {
            return Err(Error::refuse(Step::Lock, "use", &self.path, Refusal::NotOurs { owner, user }));
        }
        Ok(())
    }

    /// Checks that an existing directory is ours, and closes it to others, before anything is made in it.
    fn claimed(self) -> Result<Self> {
        self.ensure_ours()?;
        if self.found.mode() & 0o7777 != 0o700 {
            self.ensure_only_known_names()?;
            fchmod(&self.directory, Mode::RWXU).at(Step::Lock, "set the mode of", &self.path)?;
        }
        Ok(self)
    }

    /// Refuses a directory that holds other names than ours. A user who can rename entries in the parent may have put
    /// another directory of the same user there.
    pub(crate) fn ensure_only_known_names(&self) -> Result<()> {
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

    /// Checks that the parent still has this directory under its name.
    pub(crate) fn ensure_in_place(&self, dir: &AtomicDir, step: Step) -> Result<()> {
        match Self::open(dir, step)? {
            Some(found) if found.found.ino() == self.found.ino() => Ok(()),
            _ => Err(Error::refuse(step, "rely on", self.join(LOCK), Refusal::LockRemoved)),
        }
    }

    /// Returns the path of a name in this directory, for messages.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Records which directory is the generation of this ID. One call makes the whole record.
    pub(crate) fn record(&self, dir: &AtomicDir, step: Step, id: &Id, inode: u64) -> Result<()> {
        let name = StateName::Record(id.clone()).to_string();
        let path = self.join(&name);
        symlinkat(inode.to_string(), &self.directory, &name).at(step, "create", &path)?;
        // An fsync of a file in the generation may bring that file to disk without this earlier record.
        if dir.options.durability.syncs_each() {
            fsync(&self.directory).at(step, "sync", &self.path)?;
        }
        Ok(())
    }

    /// Returns the inode number that is recorded for the generation of this ID: `None` if there is no record. The same
    /// if the record is not a link, or its text is not a number.
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
