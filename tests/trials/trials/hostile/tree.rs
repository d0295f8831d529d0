//! What is precious, in the folder with the link and outside it, and how it is told that nothing of it has changed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use atomicdir::{Durability, Options, Parents};
use secretdir_testkit::OTHER_USER;
use tempfile::TempDir;

use crate::support::parse;

/// Who else can put names into the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parent {
    /// Nobody.
    Private,
    /// A stranger, whose it is.
    HisOwn,
    /// A stranger, who is in its group.
    HisGroups,
}

/// All of what is found at a path that may not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Print {
    mode: u32,
    owner: (u32, u32),
    inode: u64,
    modified: (i64, i64),
    /// The bytes of a file, or where a link points.
    holds: Vec<u8>,
}

impl Print {
    /// Leaves out when it was changed: renaming what is in it is not for it to prevent.
    pub(super) fn without_time(self) -> Self {
        Self { modified: (0, 0), ..self }
    }
}

/// A folder with a link to publish at, and precious trees in it and beside it, all on one tmpfs.
pub(super) struct Tree {
    root: TempDir,
}

impl Tree {
    pub(super) fn new(parent: Parent) -> Self {
        let tree = Self { root: TempDir::new_in("/dev/shm").unwrap() };
        set_mode(tree.root.path(), 0o755);
        fill(&tree.precious());
        fs::create_dir(tree.parent()).unwrap();
        fill(&tree.parent().join("precious"));
        for name in [".app.gen-short", ".other.gen-0123456789abcdef", ".app.state~"] {
            fs::write(tree.parent().join(name), "precious").unwrap();
        }
        let (owner, mode) = match parent {
            Parent::Private => (None, 0o755),
            Parent::HisOwn => (Some(OTHER_USER), 0o755),
            Parent::HisGroups => (None, 0o775),
        };
        chown(tree.parent(), owner, Some(OTHER_USER)).unwrap();
        set_mode(&tree.parent(), mode);
        tree
    }

    /// Returns the options with which a run publishes here: in a folder of others, if they are trusted.
    pub(super) fn options(&self) -> Options {
        Options::new().parents(Parents::Trusted).retain(Duration::ZERO).durability(Durability::None)
    }

    /// Returns the folder that the link is in.
    pub(super) fn parent(&self) -> PathBuf {
        self.root.path().join("parent")
    }

    pub(super) fn link(&self) -> PathBuf {
        self.parent().join("app")
    }

    /// Returns a tree outside the folder, on the same filesystem.
    pub(super) fn precious(&self) -> PathBuf {
        self.root.path().join("precious")
    }

    /// Returns a name of ours, of a kind: `gen` or `tmp`.
    pub(super) fn ours(&self, kind: &str) -> PathBuf {
        self.parent().join(format!(".app.{kind}-0123456789abcdef"))
    }

    /// Returns all that may not change: everything but our own names and those that the stranger moved ours to.
    pub(super) fn fingerprint(&self) -> BTreeMap<PathBuf, Print> {
        let parent = self.parent();
        let is_ours = |path: &Path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            path.parent() == Some(&parent) && is_ours(&name)
        };
        let mut prints = fingerprint_without(self.root.path(), &is_ours);
        // Names come and go in the folder.
        prints.entry(parent.clone()).and_modify(|print| print.modified = (0, 0));
        prints
    }
}

/// What the stranger moves ours to begins so.
pub(super) const AWAY: &str = "away-";

pub(super) fn is_ours(name: &str) -> bool {
    name == "app" || name == ".app.state" || parse(name).is_some() || name.starts_with(AWAY)
}

/// Returns the print of everything from a path on down.
pub(super) fn fingerprint(path: &Path) -> BTreeMap<PathBuf, Print> {
    fingerprint_without(path, &|_| false)
}

/// Leaves paths out without looking at them: they may be gone at any moment.
fn fingerprint_without(path: &Path, is_left_out: &dyn Fn(&Path) -> bool) -> BTreeMap<PathBuf, Print> {
    let mut prints = BTreeMap::new();
    let mut rest = vec![path.to_owned()];
    while let Some(path) = rest.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        let mut holds = Vec::new();
        if found.is_dir() {
            let below = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
            rest.extend(below.filter(|path| !is_left_out(path)));
        } else if found.is_symlink() {
            holds = fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes();
        } else if found.is_file() {
            holds = fs::read(&path).unwrap();
        }
        let (mode, owner, inode) = (found.mode(), (found.uid(), found.gid()), found.ino());
        let modified = (found.mtime(), found.mtime_nsec());
        prints.insert(path, Print { mode, owner, inode, modified, holds });
    }
    prints
}

/// Makes a tree under the names that we publish too.
fn fill(root: &Path) {
    fs::create_dir_all(root.join("d/e")).unwrap();
    fs::write(root.join("version"), "precious").unwrap();
    fs::write(root.join("d/b"), "precious").unwrap();
    symlink("version", root.join("link")).unwrap();
    set_mode(&root.join("version"), 0o600);
    set_mode(&root.join("d"), 0o700);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
