//! A folder to publish in, and the files that are published there.

use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use atomicdir::{AtomicDir, Attributes, Durability, FileMap, FileName, Mode, NewFile, Options};
use tempfile::TempDir;

use crate::support::Medium;

/// The length of every file, in bytes.
const LENGTH: usize = 1000;

pub(crate) const NOTE: &[u8] = b"note";

/// What is superseded stays for longer than any bench runs.
const FOR_GOOD: Duration = Duration::from_secs(24 * 3600);

/// What is published.
pub(crate) struct Files {
    pub(crate) names: Vec<FileName>,
    /// The same names, as system calls take them.
    pub(crate) raw_names: Vec<CString>,
    pub(crate) bytes: Vec<u8>,
}

impl Files {
    fn new(count: usize) -> Self {
        let texts = (0..count).map(|i| format!("file-{i:04}"));
        Self {
            names: texts.clone().map(|text| FileName::new(text).unwrap()).collect(),
            raw_names: texts.map(|text| CString::new(text).unwrap()).collect(),
            bytes: vec![b'x'; LENGTH],
        }
    }

    fn file(&self) -> NewFile<'_> {
        NewFile::new(&self.bytes, Attributes::with_mode(Mode::OWNER_READS))
    }
}

/// Where the places of one medium are. All of it goes when this is dropped.
pub(crate) struct Ground {
    pub(crate) medium: Medium,
    folder: TempDir,
}

impl Ground {
    pub(crate) fn new(medium: Medium) -> Self {
        Self { medium, folder: TempDir::new_in(medium.folder()).unwrap() }
    }
}

/// A folder in which such files have been published once.
pub(crate) struct Place<'g> {
    ground: &'g Ground,
    folder: PathBuf,
    pub(crate) files: Files,
}

impl<'g> Place<'g> {
    pub(crate) fn new(ground: &'g Ground, count: usize) -> Self {
        let folder = TempDir::new_in(&ground.folder).unwrap().keep();
        let place = Self { ground, folder, files: Files::new(count) };
        place.publish(Durability::None);
        place
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn link(&self) -> PathBuf {
        self.folder().join("app")
    }

    /// Returns the ID of the generation that the link names.
    pub(crate) fn current(&self) -> String {
        let target = std::fs::read_link(self.link()).unwrap();
        target.to_str().and_then(|name| name.strip_prefix(".app.gen-")).unwrap().to_owned()
    }

    /// Publishes with atomicdir what supersedes the files that are there, which stay.
    pub(crate) fn publish(&self, durability: Durability) {
        let dir = self.open(FOR_GOOD, durability);
        let mut locked = dir.try_lock().unwrap();
        let mut staging = locked.stage().unwrap();
        for name in &self.files.names {
            staging.write(name, self.files.file()).unwrap();
        }
        let published = staging.publish(Some(NOTE)).unwrap();
        assert!(published.unsettled.is_none(), "{published:?}");
        locked.record_success().unwrap();
    }

    /// Removes with atomicdir what was superseded: so many generations.
    pub(crate) fn retire(&self, expected: usize) {
        let dir = self.open(Duration::ZERO, Durability::None);
        let locked = dir.try_lock().unwrap();
        assert_eq!(locked.sweep().removed().len(), expected, "{:?}", locked.sweep());
    }

    /// Gets a superseded generation out of the way of the next run.
    ///
    /// On a disk it is kept until the end of all: ext4 without a journal does not use the inode of a removed file again for
    /// minutes, and whatever makes files there has to search for others.
    pub(crate) fn put_aside(&self, superseded: &str) {
        if self.ground.medium == Medium::Tmpfs {
            return self.retire(1);
        }
        for name in [".app.gen", ".app.state/note", ".app.state/made"] {
            let name = format!("{name}-{superseded}");
            let aside = self.ground.folder.path().join(name.replace('/', "-"));
            rustix::fs::rename(self.folder().join(name), aside).unwrap();
        }
    }

    fn open(&self, retain: Duration, durability: Durability) -> AtomicDir {
        Options::new().retain(retain).durability(durability).open(self.link()).unwrap()
    }

    /// Asserts that exactly the files are published: whoever published them has left nothing out.
    pub(crate) fn assert_complete(&self) {
        let mut wanted = FileMap::new();
        for name in &self.files.names {
            wanted.insert(name.clone(), self.files.file()).unwrap();
        }
        let dir = self.open(FOR_GOOD, Durability::None);
        let locked = dir.try_lock().unwrap();
        let compared = locked.compare(&wanted).unwrap();
        assert!(compared.is_same(), "{compared:?}");
        assert_eq!(locked.note().unwrap().as_deref(), Some(NOTE));
        assert!(locked.unsettled().is_none());
    }

    /// Has everything written to the disk that is still to be written, so that the next measurement does not wait for it.
    pub(crate) fn settle(&self) {
        rustix::fs::syncfs(std::fs::File::open(self.folder()).unwrap()).unwrap();
    }
}
