//! What somebody changes in the folder by hand, and in the model.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::event::{Change, Meddling, OddLink, Whose};
use super::history::History;
use super::state::{Generation, Link, Make};

impl History {
    pub(super) fn meddle(&mut self, meddling: &Meddling) {
        match meddling {
            Meddling::Mark(whose) => self.plant_mark(*whose, Make::Ours),
            Meddling::OddMark(whose) => self.plant_mark(*whose, Make::Odd),
            Meddling::RemoveMark(whose) => self.remove_mark(*whose),
            Meddling::Note(whose) => self.plant_note(*whose, Make::Ours),
            Meddling::OddNote(whose) => self.plant_note(*whose, Make::Odd),
            Meddling::RemoveNote(whose) => self.remove_note(*whose),
            Meddling::Generation(age) => self.plant_generation(*age),
            Meddling::OddGeneration => self.plant_odd_generation(),
            Meddling::RemoveGeneration(whose) => self.remove_generation(*whose),
            Meddling::Change(whose, change) => self.change(*whose, *change),
            Meddling::RemoveLink => self.remove_link(),
            Meddling::LinkTo(whose) => self.link_to(*whose),
            Meddling::OddLink(kind) => self.plant_odd_link(*kind),
            Meddling::RemoveLock => self.remove_lock(),
            Meddling::Stranger(name) => self.plant_stranger(name),
        }
    }

    /// Returns the ID that is meant, if there is one.
    fn whose(&mut self, whose: Whose) -> Option<String> {
        match whose {
            Whose::Current => self.state.current().map(str::to_owned),
            Whose::Other(index) => {
                let current = self.state.current();
                let others: Vec<&String> =
                    self.state.entries.keys().filter(|id| Some(id.as_str()) != current).collect();
                others.get(index.checked_rem(others.len())?).map(|id| (*id).clone())
            }
            Whose::Nobody => Some(self.fresh_id()),
        }
    }

    fn path(&self, kind: &str, id: &str) -> PathBuf {
        self.folder().join(format!(".app.{kind}-{id}"))
    }

    fn note(&self, id: &str) -> PathBuf {
        self.folder().join(format!(".app.state/note-{id}"))
    }

    fn plant_mark(&mut self, whose: Whose, make: Make) {
        let Some(id) = self.whose(whose) else { return };
        let path = self.path("tmp", &id);
        if path.symlink_metadata().is_ok() {
            return;
        }
        match make {
            Make::Ours => symlink(format!(".app.gen-{id}"), path).unwrap(),
            Make::Odd => fs::write(path, "").unwrap(),
        }
        self.state.change(&id, |entry| entry.mark = Some(make));
    }

    fn remove_mark(&mut self, whose: Whose) {
        let Some(id) = self.whose(whose) else { return };
        if fs::remove_file(self.path("tmp", &id)).is_ok() {
            self.state.change(&id, |entry| entry.mark = None);
        }
    }

    fn plant_note(&mut self, whose: Whose, make: Make) {
        let Some(id) = self.whose(whose) else { return };
        let path = self.note(&id);
        if path.exists() {
            return;
        }
        drop(DirBuilder::new().mode(0o700).create(self.folder().join(".app.state")));
        match make {
            Make::Ours => fs::write(path, "note").unwrap(),
            Make::Odd => fs::create_dir(path).unwrap(),
        }
        self.state.change(&id, |entry| entry.note = Some(make));
    }

    fn remove_note(&mut self, whose: Whose) {
        let Some(id) = self.whose(whose) else { return };
        let path = self.note(&id);
        if fs::remove_file(&path).is_ok() || fs::remove_dir(&path).is_ok() {
            self.state.change(&id, |entry| entry.note = None);
        }
    }

    fn plant_generation(&mut self, age: i64) {
        let id = self.fresh_id();
        let since = self.now.saturating_add_signed(-age);
        let path = self.path("gen", &id);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("planted"), "planted").unwrap();
        set_time(&path, since);
        let generation = Generation::Directory { set: None, since };
        self.state.change(&id, |entry| entry.generation = Some(generation));
    }

    fn plant_odd_generation(&mut self) {
        let id = self.fresh_id();
        fs::write(self.path("gen", &id), "precious").unwrap();
        self.state.change(&id, |entry| entry.generation = Some(Generation::Odd));
    }

    fn remove_generation(&mut self, whose: Whose) {
        let Some(id) = self.whose(whose) else { return };
        let path = self.path("gen", &id);
        if fs::remove_dir_all(&path).is_ok() || fs::remove_file(&path).is_ok() {
            self.state.change(&id, |entry| entry.generation = None);
        }
    }

    /// Changes what a generation holds. The time of its directory stays what it was.
    fn change(&mut self, whose: Whose, change: Change) {
        let Some(id) = self.whose(whose) else { return };
        let Some(Generation::Directory { set: Some(_), since }) = self.state.generation(&id) else { return };
        let path = self.path("gen", &id);
        match change {
            Change::Bytes => replace(&path.join("d/b")),
            Change::Mode => fs::set_permissions(path.join("d/b"), fs::Permissions::from_mode(0o666)).unwrap(),
            Change::Extra => fs::write(path.join("d/extra"), "").unwrap(),
            Change::ExtraDirectory => fs::create_dir(path.join("extra")).unwrap(),
            Change::Missing => fs::remove_file(path.join("d/b")).unwrap(),
        }
        set_time(&path, since);
        let generation = Generation::Directory { set: None, since };
        self.state.change(&id, |entry| entry.generation = Some(generation));
    }

    fn remove_link(&mut self) {
        let link = self.folder().join("app");
        if fs::remove_file(&link).is_ok() || fs::remove_dir(&link).is_ok() {
            self.state.link = Link::Absent;
        }
    }

    fn link_to(&mut self, whose: Whose) {
        let Some(id) = self.whose(whose) else { return };
        self.remove_link();
        symlink(format!(".app.gen-{id}"), self.folder().join("app")).unwrap();
        self.state.link = Link::Names(id);
    }

    fn plant_odd_link(&mut self, kind: OddLink) {
        self.remove_link();
        let link = self.folder().join("app");
        match kind {
            OddLink::File => fs::write(link, "precious").unwrap(),
            OddLink::Directory => fs::create_dir(link).unwrap(),
            OddLink::Elsewhere => symlink("/", link).unwrap(),
        }
        self.state.link = Link::Odd(kind);
    }

    fn remove_lock(&mut self) {
        if fs::remove_file(self.folder().join(".app.state/lock")).is_ok() {
            self.state.lock = None;
        }
    }

    fn plant_stranger(&mut self, name: &str) {
        fs::write(self.folder().join(name), "precious").unwrap();
        self.state.strangers.insert(name.to_owned());
    }
}

/// Puts other bytes there: the file itself cannot be written to, except by root.
fn replace(path: &Path) {
    let permissions = fs::metadata(path).unwrap().permissions();
    fs::remove_file(path).unwrap();
    fs::write(path, "other").unwrap();
    fs::set_permissions(path, permissions).unwrap();
}

fn set_time(path: &Path, seconds: u64) {
    fs::File::open(path).unwrap().set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}
