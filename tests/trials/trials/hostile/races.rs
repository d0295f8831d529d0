//! Attackers who race runs of root, for as long as they are let: 15 seconds each, or `ATOMICDIR_TRIAL_SECONDS`.
//!
//! The attacker owns the folder, or the generation. In the folder are decoys: directories of root, closed to others, that
//! the attacker cannot read, but can rename. A run that took one for its own would fill it, give it away, change its mode
//! or remove it. By the path rule such a folder is refused; where its parents are trusted, no decoy is touched.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use atomicdir::{Attributes, Durability, Error, FileName, Mode, NewFile, Options, Owner, Parents, Refusal};
use rustix::fs::{CWD, OFlags, RenameFlags, mkdirat, openat, renameat_with};
use secretdir_testkit::{OTHER_USER, is_root};
use tempfile::TempDir;

use super::swapper::become_stranger;
use super::tree::{Print, fingerprint};

const DECOYS: usize = 4;

fn duration() -> Duration {
    let seconds = std::env::var("ATOMICDIR_TRIAL_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(15))
}

/// A folder of the attacker's, with decoys.
struct Folder {
    folder: TempDir,
    before: Vec<(u64, Vec<Print>)>,
}

impl Folder {
    fn new() -> Self {
        let folder = TempDir::new_in("/dev/shm").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for number in 0..DECOYS {
            let decoy = folder.path().join(format!("decoy-{number}"));
            fs::create_dir(&decoy).unwrap();
            fs::set_permissions(&decoy, fs::Permissions::from_mode(0o700)).unwrap();
            fs::write(decoy.join("precious"), "data").unwrap();
        }
        chown(folder.path(), Some(OTHER_USER), Some(OTHER_USER)).unwrap();
        let before = decoys(folder.path());
        assert_eq!(before.len(), DECOYS);
        Self { folder, before }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Asserts that no byte, owner or mode of a decoy has changed, wherever it is now.
    fn assert_unharmed(&self, context: &str) {
        assert_eq!(decoys(self.path()), self.before, "{context}");
    }
}

/// Finds what holds something precious, at any depth: directories that root made before the race, by their inodes.
fn decoys(folder: &Path) -> Vec<(u64, Vec<Print>)> {
    let mut found = Vec::new();
    let mut rest = vec![folder.to_owned()];
    while let Some(directory) = rest.pop() {
        let entries = fs::read_dir(&directory).into_iter().flatten().flatten().map(|entry| entry.path());
        for path in entries.filter(|path| path.is_dir() && !path.is_symlink()) {
            if path.join("precious").exists() {
                let inode = fs::symlink_metadata(&path).unwrap().ino();
                found.push((inode, fingerprint(&path).into_values().map(Print::without_time).collect()));
            } else {
                rest.push(path);
            }
        }
    }
    found.sort_by_key(|(inode, _)| *inode);
    found
}

/// Lets an attacker loose while root does something again and again, and returns how often each of them got somewhere.
fn race(attack: impl Fn() -> bool + Send + Sync, mut run: impl FnMut(usize)) -> (usize, usize) {
    let (over, hits) = (AtomicBool::new(false), AtomicUsize::new(0));
    let deadline = Instant::now() + duration();
    thread::scope(|scope| {
        let attacker = scope.spawn(|| {
            become_stranger();
            while !over.load(Ordering::Relaxed) {
                hits.fetch_add(usize::from(attack()), Ordering::Relaxed);
            }
        });
        let mut runs = 0;
        // On a busy machine the time may be over before the attacker was scheduled even once.
        while Instant::now() < deadline || hits.load(Ordering::Relaxed) == 0 {
            run(runs);
            runs += 1;
        }
        over.store(true, Ordering::Relaxed);
        attacker.join().unwrap();
        (runs, hits.load(Ordering::Relaxed))
    })
}

fn exchange(one: &Path, other: &Path) -> bool {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
}

fn names(folder: &Path, begin: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(begin))
        .collect()
}

fn for_the_attacker() -> Attributes {
    let owner = Owner { user: Some(OTHER_USER), group: Some(OTHER_USER) };
    Attributes::new(Mode::new(0o750).unwrap(), owner)
}

/// Publishes one file, given to the attacker.
fn publish(link: &Path, text: &str, parents: Parents) -> Result<(), Error> {
    let options = Options::new().parents(parents).retain(Duration::ZERO).durability(Durability::None);
    let dir = options.directory(for_the_attacker()).open(link)?;
    let mut locked = dir.try_lock()?;
    let mut staging = locked.stage()?;
    let mode = Mode::new(0o440).unwrap();
    let file = NewFile::new(text.as_bytes(), Attributes::new(mode, for_the_attacker().owner));
    for name in ["d/one", "two"] {
        staging.write(&FileName::new(name).unwrap(), file)?;
    }
    staging.publish(Some(b"note")).map(drop)
}

fn assert_refused(link: &Path) {
    let error = publish(link, "never", Parents::Strict).unwrap_err();
    assert!(matches!(error.refusal(), Some(Refusal::Replaceable(_))), "{error:?}");
}

#[test]
fn a_staging_that_is_exchanged_and_a_decoy_that_bears_the_name_of_a_generation() {
    if !is_root("a_staging_that_is_exchanged_and_a_decoy_that_bears_the_name_of_a_generation") {
        return;
    }
    let folder = Folder::new();
    let (root, link) = (folder.path(), folder.path().join("app"));
    let attack = || {
        let mut hit = false;
        for mark in names(root, ".app.tmp-") {
            let Ok(target) = fs::read_link(&mark) else { continue };
            for decoy in names(root, "decoy-") {
                hit |= exchange(&root.join(&target), &decoy);
            }
        }
        // Also under the name of the state directory, and of a generation that is old enough to go.
        if let Some(decoy) = names(root, "decoy-").first() {
            let old = root.join(".app.gen-AAAAAAAAAAAAAAAA");
            hit |= exchange(&root.join(".app.state"), decoy) && exchange(decoy, &root.join(".app.state"));
            hit |= fs::rename(decoy, &old).is_ok() && fs::rename(&old, decoy).is_ok();
        }
        hit
    };
    let mut published = 0;
    let (runs, hits) = race(attack, |number| {
        assert_refused(&link);
        published += usize::from(publish(&link, &number.to_string(), Parents::Trusted).is_ok());
    });
    folder.assert_unharmed(&format!("{runs} runs, {published} published, {hits} exchanges"));
    assert!(published > 0, "{runs} runs, {hits} exchanges");
}

#[test]
fn a_missing_parent_that_is_exchanged_as_it_is_made() {
    if !is_root("a_missing_parent_that_is_exchanged_as_it_is_made") {
        return;
    }
    let folder = Folder::new();
    let root = folder.path();
    let attack = || {
        let decoys = names(root, "decoy-");
        let made = names(root, "made-");
        made.iter()
            .flat_map(|made| decoys.iter().map(move |decoy| exchange(made, decoy)))
            .fold(false, |one, other| one | other)
    };
    let (runs, hits) = race(attack, |number| {
        let link = root.join(format!("made-{number}/deep/app"));
        assert_refused(&link);
        assert!(!link.parent().unwrap().exists());
        drop(Options::new().parents(Parents::Trusted).open(&link));
        for made in names(root, "made-") {
            // What bears the name by now may be a decoy, which is not empty.
            drop(fs::remove_dir(made.join("deep")).and_then(|()| fs::remove_dir(&made)));
        }
    });
    folder.assert_unharmed(&format!("{runs} runs, {hits} exchanges"));
}

/// The owner of a generation does what they like with it: every run publishes all the same.
#[test]
fn an_owner_who_makes_a_mess_of_every_generation_stops_no_run() {
    if !is_root("an_owner_who_makes_a_mess_of_every_generation_stops_no_run") {
        return;
    }
    let folder = TempDir::new_in("/dev/shm").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let link = folder.path().join("app");
    publish(&link, "first", Parents::Strict).unwrap();
    let attack = || {
        let open = |above: &fs::File| {
            let _ = mkdirat(above, "deep", rustix::fs::Mode::RWXU);
            openat(above, "deep", OFlags::DIRECTORY | OFlags::NOFOLLOW, rustix::fs::Mode::empty())
                .map(fs::File::from)
        };
        let Ok(mut here) = fs::File::open(&link) else { return false };
        drop(std::os::unix::fs::symlink("/", link.join("out")));
        let _ = rustix::fs::mkfifoat(here.as_fd(), "fifo", rustix::fs::Mode::RWXU);
        drop(fs::rename(link.join("d"), link.join("elsewhere")));
        drop(fs::set_permissions(link.join("two"), fs::Permissions::from_mode(0o000)));
        for _ in 0..200 {
            match open(&here) {
                Ok(below) => here = below,
                Err(_) => return false,
            }
        }
        true
    };
    let (runs, hits) = race(attack, |number| {
        let ended = publish(&link, &number.to_string(), Parents::Strict);
        ended.unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)));
    });
    // What the owner was still busy with is the next run's.
    publish(&link, "last", Parents::Strict).unwrap();
    publish(&link, "after that", Parents::Strict).unwrap();
    let generations = names(folder.path(), ".app.gen-").len();
    assert_eq!(generations, 1, "{runs} runs, {hits} messes");
}
