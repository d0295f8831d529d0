//! Publishing, comparing, and what stays where it is.

use std::fs;
use std::time::Duration;

use atomicdir::{Attributes, ChangeKind, Durability, FileName, Mode, NewFile, Options, Owner, View};

use crate::support::{Place, SETTLED, at, mode, wanted};

const FILES: &[(&str, &str)] =
    &[("a", "1"), ("db/password", "2"), ("db/user", "3"), ("tls/deep/key", "4"), ("z", "")];

#[test]
fn a_first_publish_makes_everything_readable_through_the_link() {
    for durability in [Durability::Filesystem, Durability::PerFile, Durability::None] {
        let place = Place::new();
        let published = place.publish(Options::new().durability(durability), FILES, at(0));
        for (name, text) in FILES {
            assert_eq!(place.read(name), *text);
        }
        assert_eq!(place.names(), SETTLED);
        let target = fs::read_link(place.link()).unwrap();
        assert_eq!(target.to_str().unwrap(), format!(".app.gen-{}", published.generation));
    }
}

#[test]
fn an_update_keeps_the_old_generation_for_as_long_as_it_should() {
    let place = Place::new();
    let retain = || Options::new().retain(Duration::from_secs(60));
    let first = place.publish(retain(), &[("a", "old")], at(0)).generation;
    // Published long ago, superseded just now: the time counts from the flip.
    place.publish(retain(), &[("a", "new")], at(1000));
    let old = place.path().join(format!(".app.gen-{first}/a"));
    assert_eq!((place.read("a").as_str(), fs::read_to_string(&old).unwrap().as_str()), ("new", "old"));

    drop(place.lock(&place.open(retain()), at(1059)));
    assert!(old.exists());
    let dir = place.open(retain());
    let locked = place.lock(&dir, at(1060));
    assert_eq!(locked.sweep().removed(), [first]);
    assert_eq!(place.names(), SETTLED);
}

#[test]
fn a_superseded_time_in_the_future_counts_as_due() {
    let place = Place::new();
    place.publish(Options::new(), &[("a", "1")], at(0));
    place.publish(Options::new(), &[("a", "2")], at(5000));
    drop(place.lock(&place.open(Options::new()), at(4000)));
    assert_eq!(place.names(), SETTLED);
}

#[test]
fn retain_zero_removes_the_old_generation_at_the_flip() {
    let place = Place::new();
    let options = || Options::new().retain(Duration::ZERO);
    let first = place.publish(options(), FILES, at(0)).generation;
    let second = place.publish(options(), &[("a", "2")], at(1));
    assert_eq!(second.sweep.removed(), [first]);
    assert_eq!(place.names(), SETTLED);
}

#[test]
fn an_equal_set_compares_as_same_and_nothing_moves() {
    let place = Place::new();
    place.publish(Options::new(), FILES, at(0));
    // The directory's files have mode 0440, so the test would notice a chmod too.
    let before = place.fingerprint();
    let dir = place.open(Options::new());
    let locked = place.lock(&dir, at(10));
    assert!(locked.compare(&wanted(FILES)).unwrap().is_same());
    locked.record_success().unwrap();
    assert_eq!(place.fingerprint(), before);
    let success = fs::metadata(place.path().join(".app.state/lock")).unwrap().modified().unwrap();
    assert_eq!(success, at(10));
}

#[test]
fn a_comparison_without_a_lock_tells_of_one_generation_all_that_it_saw() {
    let place = Place::new();
    let nothing = Options::new().compare(place.link(), &wanted(FILES)).unwrap();
    assert_eq!((nothing.id, nothing.note, nothing.sizes.len()), (None, None, 0));
    assert_eq!(nothing.comparison.changes().len(), FILES.len() + 1);

    let dir = place.open(Options::new());
    let mut locked = place.lock(&dir, at(0));
    let mut staging = locked.stage().unwrap();
    for (name, file) in wanted(FILES).iter() {
        staging.write(name, *file).unwrap();
    }
    let published = staging.publish(Some(b"a note")).unwrap();
    let compared = Options::new().compare(place.link(), &wanted(FILES)).unwrap();
    assert!(compared.comparison.is_same() && compared.view == View::Full, "{compared:?}");
    assert_eq!((compared.id, compared.note.as_deref()), (Some(published.generation), Some(&b"a note"[..])));
    let sizes: Vec<_> = compared.sizes.iter().map(|(name, size)| (name.as_str(), *size)).collect();
    assert_eq!(sizes, [("a", 1), ("db/password", 1), ("db/user", 1), ("tls/deep/key", 1), ("z", 0)]);
}

#[test]
fn every_kind_of_difference_is_found() {
    let place = Place::new();
    place.publish(Options::new(), FILES, at(0));
    let generation = place.link().canonicalize().unwrap();
    fs::write(generation.join("extra"), "").unwrap();
    fs::create_dir(generation.join("empty")).unwrap();
    std::os::unix::fs::symlink("a", generation.join("link")).unwrap();

    let mut files = wanted(&[("a", "9"), ("db/password", "2"), ("db/user", "33"), ("new/file", "x")]);
    let loose = Attributes::with_mode(Mode::new(0o444).unwrap());
    files.insert(FileName::new("tls/deep/key").unwrap(), NewFile::new(b"4", loose)).unwrap();
    let dir = place.open(Options::new().directory(Attributes::with_mode(Mode::new(0o750).unwrap())));
    let locked = place.lock(&dir, at(10));
    let comparison = locked.compare(&files).unwrap();
    let changes: Vec<_> =
        comparison.changes().iter().map(|change| (change.name.as_str(), change.kind)).collect();
    assert_eq!(
        changes,
        [
            (".", ChangeKind::Attributes),
            ("a", ChangeKind::Content),
            ("db", ChangeKind::Attributes),
            ("db/user", ChangeKind::Content),
            ("empty", ChangeKind::Removed),
            ("extra", ChangeKind::Removed),
            ("link", ChangeKind::Removed),
            ("new/file", ChangeKind::Added),
            ("tls", ChangeKind::Attributes),
            ("tls/deep", ChangeKind::Attributes),
            ("tls/deep/key", ChangeKind::Attributes),
            ("z", ChangeKind::Removed),
        ]
    );
    let mode = |name: &str| {
        let change = comparison.changes().iter().find(|change| change.name == name).unwrap();
        change.attributes.mode.map(|mode| (mode.from, mode.to))
    };
    assert_eq!(
        (mode("."), mode("tls/deep/key"), mode("a")),
        (Some((0o700, 0o750)), Some((0o440, 0o444)), None)
    );
}

#[test]
fn a_named_owner_is_compared_and_an_unnamed_one_is_not() {
    let place = Place::new();
    place.publish(Options::new(), &[("a", "1")], at(0));
    let dir = place.open(Options::new());
    let locked = place.lock(&dir, at(1));
    let mine = rustix::process::geteuid().as_raw();
    for (user, same) in [(None, true), (Some(mine), true), (Some(mine + 1), false)] {
        let mut files = atomicdir::FileMap::new();
        let owner = Owner { user, group: None };
        let attributes = Attributes::new(Mode::new(0o440).unwrap(), owner);
        files.insert(FileName::new("a").unwrap(), NewFile::new(b"1", attributes)).unwrap();
        let comparison = locked.compare(&files).unwrap();
        assert_eq!(comparison.is_same(), same, "{user:?}");
        for change in comparison.changes() {
            let changed = change.attributes.user.map(|user| (user.from, user.to));
            assert_eq!((changed, change.attributes.group), (Some((mine, mine + 1)), None));
        }
    }
}

#[test]
fn modes_are_those_asked_for() {
    let place = Place::new();
    let options = Options::new().directory(Attributes::with_mode(Mode::new(0o550).unwrap()));
    place.publish(options.clone(), FILES, at(0));
    assert_eq!(mode(place.link().join(".")), 0o550);
    assert_eq!(mode(place.link().join("tls/deep")), 0o550);
    assert_eq!(mode(place.link().join("db/user")), 0o440);
    // A directory that even its owner may not write to can be superseded and removed.
    place.publish(options.retain(Duration::ZERO), &[("a", "2")], at(1));
    assert_eq!(place.names(), SETTLED);
}

#[test]
fn files_may_come_in_any_order() {
    let place = Place::new();
    let dir = place.open(Options::new().directory(Attributes::with_mode(Mode::new(0o550).unwrap())));
    let mut locked = place.lock(&dir, at(0));
    let mut staging = locked.stage().unwrap();
    for name in ["b/c/1", "a", "b/2", "d/x", "b/c/3"] {
        let attributes = Attributes::with_mode(Mode::OWNER_READS);
        staging.write(&FileName::new(name).unwrap(), NewFile::new(name.as_bytes(), attributes)).unwrap();
    }
    let _ = staging.publish(None).unwrap();
    for name in ["b/c/1", "a", "b/2", "d/x", "b/c/3"] {
        assert_eq!(place.read(name), name);
    }
    assert_eq!(mode(place.link().join("b/c")), 0o550);
}

#[test]
fn missing_parents_are_made_for_readers_to_get_through() {
    let place = Place::new();
    let link = place.path().join("x/y/app");
    atomicdir::fill(&link, |staging| staging.write("a", "1")).unwrap();
    assert_eq!((mode(place.path().join("x")), mode(place.path().join("x/y"))), (0o755, 0o755));
    assert_eq!(mode(link.join("a")), 0o400);
}

#[test]
fn fill_publishes_what_its_closure_writes_or_nothing() {
    let place = Place::new();
    atomicdir::fill(place.link(), |staging| staging.write("a", "1")).unwrap();
    let before = place.fingerprint();
    let failed = atomicdir::fill(place.link(), |staging| {
        staging.write("a", "2")?;
        staging.write("../b", "3")
    });
    assert_eq!(failed.unwrap_err().step().number(), 0);
    assert_eq!(place.names(), [".app.gen", "app", "state/lock", "state/made"]);
    assert_eq!(place.read("a"), "1");
    let unmoved = |(path, found): (&std::path::PathBuf, &(u64, i64, i64, u32))| {
        path == place.path() || place.fingerprint().get(path) == Some(found)
    };
    assert!(before.iter().all(unmoved));
}

#[test]
fn notes_are_replaced_whole_and_claimed_by_one() {
    let place = Place::new();
    let id = place.publish(Options::new(), &[("a", "1")], at(0)).generation;
    let dir = place.open(Options::new());
    let locked = place.lock(&dir, at(1));
    assert_eq!(locked.note().unwrap().unwrap(), b"note");

    let claim = locked.claim_note().unwrap().unwrap();
    assert!(locked.claim_note().unwrap().is_none());
    drop(locked);
    let locked = place.lock(&dir, at(1));
    assert!(locked.claim_note().unwrap().is_none(), "a claim survives the lock");
    drop(claim);
    assert!(locked.claim_note().unwrap().is_some());

    locked.replace_note(b"another").unwrap();
    assert_eq!(locked.note().unwrap().unwrap(), b"another");
    assert_eq!(mode(place.path().join(format!(".app.state/note-{id}"))), 0o600);
    assert_eq!(place.names(), SETTLED);
}
