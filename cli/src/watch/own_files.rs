//! The files that this daemon writes. Changes of them must not cause a turn, or each turn would cause the next one.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

/// The paths that the daemon writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ours {
    link: PathBuf,
    /// Single files: the stamp, the metrics, and the temporary file of the metrics.
    files: Vec<PathBuf>,
}

impl Ours {
    /// Takes the absolute paths of the link and of the stamp.
    pub(super) fn new(link: PathBuf, stamp: Option<PathBuf>) -> Self {
        Self { link, files: stamp.into_iter().collect() }
    }

    /// Adds other files that the daemon writes.
    pub(super) fn and(mut self, files: impl IntoIterator<Item = PathBuf>) -> Self {
        self.files.extend(files);
        self
    }

    /// Says whether a name in a folder is one of these files, or is made beside the link by a flip or a turn.
    pub(super) fn has(&self, folder: &Path, name: &OsStr) -> bool {
        self.is_beside_link(folder, name) || self.files.iter().any(|file| is(file, folder, name))
    }

    fn is_beside_link(&self, folder: &Path, name: &OsStr) -> bool {
        let Some(own) = self.link.file_name().and_then(OsStr::to_str) else { return false };
        let derived =
            name.to_str().and_then(|name| name.strip_prefix('.')).and_then(|name| name.strip_prefix(own));
        let is_named = name == own || derived.is_some_and(|rest| rest.starts_with('.'));
        is_named && is(&self.link.with_file_name(name), folder, name)
    }
}

/// Says whether a path is that of a name in a folder. The path of the folder must contain no link.
fn is(path: &Path, folder: &Path, name: &OsStr) -> bool {
    let parent = || path.parent().and_then(|parent| fs::canonicalize(parent).ok());
    path.file_name().map(OsString::from).as_deref() == Some(name) && parent().as_deref() == Some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_daemon_writes_is_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let at = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(at.join("out")).unwrap();
        fs::create_dir(at.join("tree")).unwrap();
        let ours = Ours::new(at.join("out/app"), Some(at.join("out/app.changed")));
        let ours = ours.and([at.join("tree/app.prom")]);
        for (folder, name, is_ours) in [
            ("out", "app", true),
            ("out", ".app.state", true),
            ("out", ".app.gen-x", true),
            ("out", "app.changed", true),
            ("tree", "app.prom", true),
            ("out", ".apps", false),
            ("out", "app.prom", false),
            ("tree", "app", false),
            ("tree", "app.changed", false),
        ] {
            assert_eq!(ours.has(&at.join(folder), OsStr::new(name)), is_ours, "{folder}/{name}");
        }
    }
}
