//! A folder to publish in, and what the tests say again and again.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use atomicdir::{
    AtomicDir, Attributes, Error, FileMap, FileName, Id, Locked, Mode, NewFile, Options, Published, Sweep,
};
use tempfile::TempDir;

/// A folder with a link to publish at.
pub(crate) struct Place {
    folder: TempDir,
    /// What time it is for all that is opened here.
    time: Arc<Mutex<SystemTime>>,
}

/// What there is when one generation is published: in the folder, and in the state directory.
pub(crate) const SETTLED: [&str; 5] = [".app.gen", "app", "state/lock", "state/made", "state/note"];

/// How a run went that published.
pub(crate) struct Run {
    pub(crate) generation: Id,
    pub(crate) sweep: Sweep,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder, time: Arc::new(Mutex::new(at(0))) }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn link(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    pub(crate) fn open(&self, options: Options) -> AtomicDir {
        let time = Arc::clone(&self.time);
        options.clock(move || *time.lock().unwrap()).open(self.link()).unwrap()
    }

    /// Takes the lock at this moment. It stays that moment until another call says otherwise.
    pub(crate) fn try_lock(&self, dir: &AtomicDir, now: SystemTime) -> Result<Locked, Error> {
        *self.time.lock().unwrap() = now;
        dir.try_lock()
    }

    pub(crate) fn lock(&self, dir: &AtomicDir, now: SystemTime) -> Locked {
        self.try_lock(dir, now).unwrap()
    }

    /// Publishes these files with the options, at this moment, and ends the run.
    pub(crate) fn publish(&self, options: Options, files: &[(&str, &str)], now: SystemTime) -> Run {
        let dir = self.open(options);
        let mut locked = self.lock(&dir, now);
        let mut staging = locked.stage().unwrap();
        for (name, file) in wanted(files).iter() {
            staging.write(name, *file).unwrap();
        }
        let Published { generation, unsettled, misplaced, sweep, .. } =
            staging.publish(Some(b"note")).unwrap();
        assert!(unsettled.is_none() && misplaced.is_none());
        locked.record_success().unwrap();
        Run { generation, sweep }
    }

    /// Returns the names in the folder and, in its place, those in the state directory, with the random part of ours left out.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = listed(self.path());
        if let Some(state) = names.iter().position(|name| name == ".app.state") {
            names.remove(state);
            names.extend(listed(&self.state()).into_iter().map(|name| format!("state/{name}")));
        }
        names.sort();
        names
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.path().join(".app.state")
    }

    /// Makes what a run makes that is killed while it fills its staging.
    pub(crate) fn leave_unfinished(&self, id: &str) {
        symlink(format!(".app.gen-{id}"), self.path().join(format!(".app.tmp-{id}"))).unwrap();
        let generation = self.path().join(format!(".app.gen-{id}"));
        fs::create_dir_all(generation.join("deep/er")).unwrap();
        fs::write(generation.join("deep/er/file"), "half").unwrap();
        symlink(self.path(), generation.join("deep/out")).unwrap();
        self.record(id);
        fs::write(self.state().join(format!("note-{id}")), "half").unwrap();
    }

    /// Puts a generation on record, as the run that makes it does.
    pub(crate) fn record(&self, id: &str) {
        let made = fs::metadata(self.path().join(format!(".app.gen-{id}"))).unwrap().ino();
        if !self.state().exists() {
            fs::create_dir(self.state()).unwrap();
            fs::set_permissions(self.state(), fs::Permissions::from_mode(0o700)).unwrap();
        }
        symlink(made.to_string(), self.state().join(format!("made-{id}"))).unwrap();
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

fn listed(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let cut = names.map(|name| match name.split_once('-') {
        Some((kind, id)) if id.len() == 16 => kind.to_owned(),
        _ => name,
    });
    cut.collect()
}

fn of(path: &Path) -> (u64, i64, i64, u32) {
    let found = fs::symlink_metadata(path).unwrap();
    (found.ino(), found.mtime(), found.mtime_nsec(), found.mode())
}

pub(crate) fn wanted<'a>(files: &[(&str, &'a str)]) -> FileMap<NewFile<'a>> {
    let mut map = FileMap::new();
    for (name, text) in files {
        let attributes = Attributes::with_mode(Mode::new(0o440).unwrap());
        map.insert(FileName::new(*name).unwrap(), NewFile::new(text.as_bytes(), attributes)).unwrap();
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
