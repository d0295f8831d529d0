//! Decides which folders to watch, so that every change of a file is noticed.
//!
//! A watch on a file ends with the file, and nearly all changes replace a file, or a link on the way to it. So these
//! folders are watched:
//!
//! - the folder of the file
//! - the folder of each symbolic link on the way
//! - all folders below a root
//! - if a component of the path is missing, the folder that it is missing from

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::own_files::Ours;

/// The most folders that are watched. The next turn finds changes below other folders.
const MOST_FOLDERS: usize = 4096;

/// The most symbolic links on the way to one path, as many as the kernel follows.
const MOST_LINKS: usize = 40;

/// The names in a folder whose changes count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Interest {
    /// All names.
    All,
    /// These names.
    Names(BTreeSet<OsString>),
}

impl Interest {
    pub(super) fn has(&self, name: Option<&OsStr>) -> bool {
        match (self, name) {
            (Self::All, _) | (_, None) => true,
            (Self::Names(names), Some(name)) => names.contains(name),
        }
    }
}

/// The folders to watch, and the names in them.
#[derive(Debug, Default)]
pub(super) struct WatchFolders {
    pub(super) folders: BTreeMap<PathBuf, Interest>,
}

impl WatchFolders {
    /// Covers these files and folders, without the files that the daemon itself writes.
    pub(super) fn of(paths: &[PathBuf], ours: &Ours) -> Self {
        let mut cover = Self::default();
        for path in paths {
            if let Some(folder) = cover.way(path) {
                cover.below(folder, ours);
            }
        }
        cover
    }

    /// Covers the folders on the way to a path. Returns the path's folder, if it leads to one.
    fn way(&mut self, path: &Path) -> Option<PathBuf> {
        let mut at = PathBuf::from("/");
        let mut left: VecDeque<_> = components(path).collect();
        let mut links = 0;
        while let Some(name) = left.pop_front() {
            if name == ".." {
                at.pop();
                continue;
            }
            let next = at.join(&name);
            let is_last = left.is_empty();
            match fs::symlink_metadata(&next) {
                Ok(found) if found.is_symlink() => {
                    self.add_name(&at, name);
                    links += 1;
                    let target = fs::read_link(&next).ok().filter(|_| links <= MOST_LINKS)?;
                    if target.is_absolute() {
                        at = PathBuf::from("/");
                    }
                    components(&target).rev().for_each(|name| left.push_front(name));
                }
                Ok(found) if found.is_dir() => at = next,
                _ => {
                    self.add_name(&at, name);
                    return None;
                }
            }
            if is_last && left.is_empty() && at.is_dir() {
                return Some(at);
            }
        }
        at.is_dir().then_some(at)
    }

    /// Covers a folder, and all folders below it.
    fn below(&mut self, folder: PathBuf, ours: &Ours) {
        let mut left = vec![folder];
        while let Some(folder) = left.pop() {
            if self.folders.len() >= MOST_FOLDERS || self.folders.get(&folder) == Some(&Interest::All) {
                continue;
            }
            let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
            let inside = entries.filter(|entry| !ours.has(&folder, &entry.file_name()));
            for entry in inside {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => left.push(entry.path()),
                    Ok(kind) if kind.is_symlink() => left.extend(self.way(&entry.path())),
                    _ => {}
                }
            }
            self.folders.insert(folder, Interest::All);
        }
    }

    fn add_name(&mut self, folder: &Path, name: OsString) {
        let interest = self.folders.entry(folder.to_owned());
        if let Interest::Names(names) = interest.or_insert_with(|| Interest::Names(BTreeSet::new())) {
            names.insert(name);
        }
    }
}

fn components(path: &Path) -> impl DoubleEndedIterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_files_and_folders_are_covered_where_they_can_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = fs::canonicalize(folder.path()).unwrap();
        for made in ["volume/..1", "volume/..2", "tree/a/b", "out/.app.gen-x", "out/.app.state", "out/other"]
        {
            fs::create_dir_all(at.join(made)).unwrap();
        }
        fs::write(at.join("volume/..1/key"), "x").unwrap();
        symlink("..1", at.join("volume/..data")).unwrap();
        symlink("..data/key", at.join("volume/key")).unwrap();
        symlink(".app.gen-x", at.join("out/app")).unwrap();
        let paths = [at.join("volume/key"), at.join("tree"), at.join("none/x"), at.join("out")];
        let cover = WatchFolders::of(&paths, &Ours::new(at.join("out/app"), None));
        let names = |names: &[&str]| Interest::Names(names.iter().map(OsString::from).collect());
        let expected = [
            (at.clone(), names(&["none"])),
            (at.join("out"), Interest::All),
            (at.join("out/other"), Interest::All),
            (at.join("tree"), Interest::All),
            (at.join("tree/a"), Interest::All),
            (at.join("tree/a/b"), Interest::All),
            (at.join("volume"), names(&["..data", "key"])),
            (at.join("volume/..1"), names(&["key"])),
        ];
        assert_eq!(cover.folders, BTreeMap::from(expected));
    }

    #[test]
    fn a_circle_of_links_ends() {
        let folder = tempfile::tempdir().unwrap();
        symlink("b", folder.path().join("a")).unwrap();
        symlink("a", folder.path().join("b")).unwrap();
        assert!(!WatchFolders::of(&[folder.path().join("a/x")], &Ours::default()).folders.is_empty());
    }
}
