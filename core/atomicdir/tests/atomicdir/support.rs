//! A folder to publish in, and what the tests say again and again.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use atomicdir::{AtomicDir, Attributes, File, FileMap, FileName, Id, Mode, Options, Published, Sweep};
use tempfile::TempDir;

/// A folder with a link to publish at.
pub(crate) struct Place {
    folder: TempDir,
}

/// How a run went that published.
pub(crate) struct Run {
    pub(crate) generation: Id,
    pub(crate) sweep: Sweep,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn link(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    pub(crate) fn open(&self, options: Options) -> AtomicDir {
        options.open(self.link()).unwrap()
    }

    /// Publishes these files with the options, at this moment, and ends the run.
    pub(crate) fn publish(&self, options: Options, files: &[(&str, &str)], now: SystemTime) -> Run {
        let dir = self.open(options);
        let mut locked = dir.try_lock(&|| now).unwrap().unwrap();
        let mut staging = locked.stage().unwrap();
        for (name, file) in wanted(files).iter() {
            staging.write(name, *file).unwrap();
        }
        let Published { generation, unsettled, sweep } = staging.publish(Some(b"note"), &|| now).unwrap();
        assert!(unsettled.is_none());
        locked.succeed(now).unwrap();
        Run { generation, sweep }
    }

    /// Returns the names in the folder, with the random part of ours left out.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|name| match name.split_once('-') {
                Some((kind, id)) if id.len() == 16 => kind.to_owned(),
                _ => name,
            })
            .collect();
        names.sort();
        names
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.link().join(name)).unwrap()
    }

    /// Returns what must not move in a run that finds nothing to change: of the link, of P, and of all in the generation.
    pub(crate) fn fingerprint(&self) -> BTreeMap<PathBuf, (u64, i64, i64, u32)> {
        let mut all = BTreeMap::new();
        let mut rest = vec![self.link(), self.link().join(".")];
        all.insert(self.path().to_owned(), of(self.path()));
        while let Some(path) = rest.pop() {
            all.insert(path.clone(), of(&path));
            if path != self.link() && path.is_dir() {
                rest.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
        }
        all
    }
}

fn of(path: &Path) -> (u64, i64, i64, u32) {
    let found = fs::symlink_metadata(path).unwrap();
    (found.ino(), found.mtime(), found.mtime_nsec(), found.mode())
}

pub(crate) fn wanted<'a>(files: &[(&str, &'a str)]) -> FileMap<File<'a>> {
    let mut map = FileMap::new();
    for (name, text) in files {
        let attributes = Attributes::with_mode(Mode::new(0o440).unwrap());
        map.insert(FileName::new(*name).unwrap(), File { bytes: text.as_bytes(), attributes }).unwrap();
    }
    map
}

/// A moment, in seconds after a fixed one in the past.
pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

pub(crate) fn mode(path: impl AsRef<Path>) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

/// Returns an error and everything that caused it, in one line.
pub(crate) fn text(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", text(source)),
        None => error.to_string(),
    }
}
