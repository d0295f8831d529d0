//! The folder as it is, in the terms of the model.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use atomicdir_trials::shown;
use tempfile::TempDir;

use super::event::OddLink;
use super::state::{Generation, Link, Make, Record, State};
use crate::support::{parse, parse_state};

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
    Link,
    Other,
}

/// Reads the folder, and the state directory in it.
pub(super) fn observe(folder: &Path) -> State {
    let mut state = State::default();
    for (name, path) in names(folder) {
        match &*name {
            ".app.state" => names(&path).for_each(|(name, path)| note_state(&mut state, &name, &path)),
            _ => note(&mut state, &name, &path),
        }
    }
    state
}

fn names(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
}

fn note_state(state: &mut State, name: &str, path: &Path) {
    match parse_state(name) {
        Some(("note", id)) => {
            let make = if kind(path) == Kind::File { Make::Ours } else { Make::Odd };
            state.change(id, |entry| entry.note = Some(make));
        }
        Some(("made", id)) => state.change(id, |entry| entry.record = Record::Kept),
        _ if name == "lock" => state.lock = Some(Some(seconds(path)).filter(|time| *time != 0)),
        _ => panic!("{name}"),
    }
}

fn note(state: &mut State, name: &str, path: &Path) {
    let kind = kind(path);
    let make = |ours| if kind == ours { Make::Ours } else { Make::Odd };
    match parse(name) {
        Some(("gen", id)) => state.change(id, |entry| entry.generation = Some(generation(path, kind))),
        Some(("tmp", id)) => state.change(id, |entry| entry.mark = Some(make(Kind::Link))),
        _ if name == "app" => state.link = link(path, kind),
        _ => drop(state.strangers.insert(name.to_owned())),
    }
}

fn kind(path: &Path) -> Kind {
    let found = fs::symlink_metadata(path).unwrap().file_type();
    match () {
        () if found.is_file() => Kind::File,
        () if found.is_dir() => Kind::Directory,
        () if found.is_symlink() => Kind::Link,
        () => {
            assert!(found.is_fifo() || found.is_socket(), "{path:?}: {found:?}");
            Kind::Other
        }
    }
}

fn link(path: &Path, kind: Kind) -> Link {
    match kind {
        Kind::Link => {
            let target = fs::read_link(path).unwrap();
            match target.to_str().and_then(parse) {
                Some(("gen", id)) => Link::Names(id.to_owned()),
                _ => Link::Odd(OddLink::Elsewhere),
            }
        }
        Kind::Directory => Link::Odd(OddLink::Directory),
        Kind::File | Kind::Other => Link::Odd(OddLink::File),
    }
}

fn generation(path: &Path, kind: Kind) -> Generation {
    match kind {
        Kind::Directory => Generation::Directory { set: set(path), since: seconds(path) },
        Kind::File | Kind::Link | Kind::Other => Generation::Odd,
    }
}

/// Returns the set that a generation holds, if it is exactly one.
fn set(generation: &Path) -> Option<u32> {
    let aside = TempDir::new_in("/dev/shm").unwrap();
    let link = aside.path().join("link");
    symlink(generation, &link).unwrap();
    shown(&link).ok().flatten().map(|set| set.0)
}

fn seconds(path: &Path) -> u64 {
    seconds_of(fs::symlink_metadata(path).unwrap().modified().unwrap())
}

/// Returns a time in seconds: those of the model's clock are whole.
pub(super) fn seconds_of(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap().as_secs()
}
