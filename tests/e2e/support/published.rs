//! What is on disk.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What must not move, of the link, its folder, and all that is in the generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(BTreeMap<PathBuf, Found>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    inode: u64,
    modified: (i64, i64),
    mode: u32,
    owner: (u32, u32),
    bytes: Vec<u8>,
}

impl Fingerprint {
    pub(crate) fn of(link: &Path) -> Self {
        let mut all = BTreeMap::new();
        let mut rest = vec![link.parent().unwrap().to_owned(), link.to_owned(), link.join(".")];
        while let Some(path) = rest.pop() {
            let found = fs::symlink_metadata(&path).unwrap();
            let bytes = if found.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            if found.is_dir() && path.starts_with(link) {
                rest.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            let (modified, owner) = ((found.mtime(), found.mtime_nsec()), (found.uid(), found.gid()));
            all.insert(path, Found { inode: found.ino(), modified, mode: found.mode(), owner, bytes });
        }
        Self(all)
    }

    /// Leaves out the folder that the link is in: a run that fails makes names in it, and takes them away again.
    pub(crate) fn without_folder(mut self) -> Self {
        self.0.pop_first();
        self
    }
}
