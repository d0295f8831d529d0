//! Who else can write to the parent, and what is mounted below it. All of it needs root.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use atomicdir::{Attributes, FileName, Mode, NewFile, Options, Owner, Parents, Refusal, Snapshot, Status};
use secretdir_testkit::is_root;

use crate::support::{Place, SETTLED, at, mode, wanted};

const STRANGER: u32 = 12345;
const ID: &str = "0123456789abcdef";

fn eager() -> Options {
    Options::new().retain(Duration::ZERO)
}

/// A parent that others can put names into: sticky and open to everyone, or a stranger's who is trusted; with the options
/// that it takes to publish there.
fn shared_places() -> [(Place, Options); 2] {
    let (sticky, foreign) = (Place::new(), Place::new());
    fs::set_permissions(sticky.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    chown(foreign.path(), Some(STRANGER), None).unwrap();
    [(sticky, Options::new()), (foreign, Options::new().parents(Parents::Trusted))]
}

#[test]
fn what_a_stranger_planted_in_a_shared_parent_is_never_removed() {
    if !is_root("what_a_stranger_planted_in_a_shared_parent_is_never_removed") {
        return;
    }
    for (place, options) in shared_places() {
        let ours = place.publish(options.clone(), &[("a", "1")], at(0)).generation;
        place.publish(options.clone(), &[("a", "2")], at(1));
        // Their mark on our superseded generation, and a generation of their own, with a mark of theirs on it.
        let mark = place.path().join(format!(".app.tmp-{ours}"));
        symlink("x", &mark).unwrap();
        lchown(&mark, Some(STRANGER), None).unwrap();
        let generation = place.path().join(format!(".app.gen-{ID}"));
        fs::create_dir(&generation).unwrap();
        fs::write(generation.join("theirs"), "data").unwrap();
        chown(&generation, Some(STRANGER), None).unwrap();

        let dir = place.open(options.retain(Duration::ZERO));
        let locked = place.lock(&dir, at(2));
        assert_eq!(locked.sweep().deferred().len(), 2, "{:?}", locked.sweep());
        assert!(locked.sweep().removed().is_empty());
        assert!(mark.is_symlink() && generation.join("theirs").exists());
        assert!(place.path().join(format!(".app.gen-{ours}/a")).exists());
    }
}

#[test]
fn a_strangers_empty_directory_stays_though_our_mark_condemns_it() {
    if !is_root("a_strangers_empty_directory_stays_though_our_mark_condemns_it") {
        return;
    }
    for (place, options) in shared_places() {
        let generation = place.path().join(format!(".app.gen-{ID}"));
        fs::create_dir(&generation).unwrap();
        chown(&generation, Some(STRANGER), None).unwrap();
        symlink(format!(".app.gen-{ID}"), place.path().join(format!(".app.tmp-{ID}"))).unwrap();
        let dir = place.open(options);
        let locked = place.lock(&dir, at(0));
        let [error] = locked.sweep().deferred() else { panic!("{:?}", locked.sweep()) };
        assert!(matches!(error.refusal(), Some(Refusal::NotOurs { owner: STRANGER, .. })), "{error:?}");
        assert!(generation.is_dir());
    }
}

#[test]
fn a_strangers_link_or_lock_is_refused() {
    if !is_root("a_strangers_link_or_lock_is_refused") {
        return;
    }
    for (place, options) in shared_places() {
        place.publish(options.clone(), &[("a", "1")], at(0));
        lchown(place.link(), Some(STRANGER), None).unwrap();
        let error = place.try_lock(&place.open(options), at(1)).unwrap_err();
        assert!(matches!(error.refusal(), Some(Refusal::NotOurs { owner: STRANGER, .. })), "{error:?}");
    }
    for name in [".app.state", ".app.state/lock"] {
        let place = Place::new();
        place.publish(Options::new(), &[("a", "1")], at(0));
        chown(place.path().join(name), Some(STRANGER), None).unwrap();
        let error = place.try_lock(&place.open(Options::new()), at(1)).unwrap_err();
        assert!(matches!(error.refusal(), Some(Refusal::NotOurs { owner: STRANGER, .. })), "{error:?}");
    }
}

#[test]
fn root_may_look_at_what_others_publish() {
    if !is_root("root_may_look_at_what_others_publish") {
        return;
    }
    for (place, options) in shared_places() {
        let id = place.publish(options, &[("a", "1")], at(0)).generation;
        for name in [
            "app",
            ".app.state",
            ".app.state/lock",
            &format!(".app.gen-{id}"),
            &format!(".app.state/note-{id}"),
        ] {
            lchown(place.path().join(name), Some(STRANGER), None).unwrap();
        }
        // Where others than its owner can put names, another's link says nothing.
        chown(place.path(), Some(0), None).unwrap();
        if fs::metadata(place.path()).unwrap().permissions().mode() & 0o022 != 0 {
            let error = Status::of(place.link()).unwrap_err();
            assert!(matches!(error.refusal(), Some(Refusal::NotOurs { owner: STRANGER, .. })), "{error:?}");
        }
        chown(place.path(), Some(STRANGER), None).unwrap();
        let current = Status::of(place.link()).unwrap().current.unwrap();
        assert_eq!((current.id, current.note), (id, Some(b"note".to_vec())));
    }
}

#[test]
fn an_owner_that_is_no_longer_configured_does_not_keep_anyone_from_publishing() {
    if !is_root("an_owner_that_is_no_longer_configured_does_not_keep_anyone_from_publishing") {
        return;
    }
    let [_, (place, options)] = shared_places();
    let eager = || options.clone().retain(Duration::ZERO);
    let owner = Owner { user: Some(STRANGER), group: None };
    let owned = Attributes::new(Mode::OWNER_ONLY, owner);
    place.publish(eager().directory(owned), &[("a", "1")], at(0));
    let dir = place.open(eager());
    let locked = place.lock(&dir, at(1));
    assert!(!locked.compare(&wanted(&[("a", "1")])).unwrap().is_same());
    drop(locked);
    place.publish(eager(), &[("a", "2")], at(2));
    assert_eq!(place.read("a"), "2");
}

#[test]
fn where_nobody_else_can_put_names_whose_they_are_does_not_matter() {
    if !is_root("where_nobody_else_can_put_names_whose_they_are_does_not_matter") {
        return;
    }
    let place = Place::new();
    let owner = Owner { user: Some(STRANGER), group: None };
    place.publish(eager().directory(Attributes::new(Mode::OWNER_ONLY, owner)), &[("a", "1")], at(0));
    let dir = place.open(eager());
    let locked = place.lock(&dir, at(1));
    assert!(
        locked.compare(&wanted(&[("a", "1")])).unwrap().is_same(),
        "an owner that is not named is not compared"
    );
    drop(locked);
    assert_eq!(place.publish(eager(), &[("a", "2")], at(2)).sweep.removed().len(), 1);
    assert_eq!(place.names(), SETTLED);
}

#[test]
fn owners_are_given_to_everything_in_the_generation() {
    if !is_root("owners_are_given_to_everything_in_the_generation") {
        return;
    }
    let place = Place::new();
    // New files inherit the parent's group, which the set-group-ID bit stands for, but not for ever.
    chown(place.path(), None, Some(777)).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o2755)).unwrap();
    let owner = Owner { user: Some(STRANGER), group: Some(777) };
    let dir = place.open(Options::new().directory(Attributes::new(Mode::OWNER_ONLY, owner)));
    let mut locked = place.lock(&dir, at(0));
    let mut staging = locked.stage().unwrap();
    let attributes = Attributes::new(Mode::OWNER_READS, owner);
    for name in ["d/1", "a", "d/e/2", "d/3"] {
        staging.write(&FileName::new(name).unwrap(), NewFile::new(b"x", attributes)).unwrap();
    }
    let _ = staging.publish(None).unwrap();
    for name in [".", "d", "d/e", "d/1", "a", "d/e/2", "d/3"] {
        let found = fs::metadata(place.link().join(name)).unwrap();
        assert_eq!((found.uid(), found.gid()), (STRANGER, 777), "{name}");
        assert_eq!(found.mode() & 0o7000, 0, "{name}");
    }
}

/// Runs a test of this file again, in a mount namespace of its own in which something has been mounted.
fn again_with_mounts(test: &str, script: &str) {
    let place = Place::new();
    let mut child = Command::new("unshare");
    let script = format!("{script}\nexec \"$TEST\" --exact trust::{test}");
    child.args(["--mount", "sh", "-euc", &script]).current_dir(place.path());
    child.env("TEST", std::env::current_exe().unwrap()).env("ATOMICDIR_TEST_FOLDER", place.path());
    let ran = child.output().unwrap();
    assert!(ran.status.success() && String::from_utf8_lossy(&ran.stdout).contains("1 passed"), "{ran:?}");
}

#[test]
fn what_is_mounted_on_or_in_a_generation_is_not_entered() {
    if let Some(folder) = std::env::var_os("ATOMICDIR_TEST_FOLDER") {
        return sweep_around_mounts(Path::new(&folder));
    }
    if !is_root("what_is_mounted_on_or_in_a_generation_is_not_entered") {
        return;
    }
    // From the same filesystem and from another; on a generation, and inside one.
    let script = format!(
        "mkdir -m 700 .app.state
        mkdir precious .app.gen-{ID} .app.gen-ffffffffffffffff .app.gen-ffffffffffffffff/inside .app.gen-eeeeeeeeeeeeeeee
        echo data > precious/file
        for id in {ID} ffffffffffffffff eeeeeeeeeeeeeeee; do
            ln -s $(stat -c %i .app.gen-$id) .app.state/made-$id
        done
        chmod 0511 .app.gen-ffffffffffffffff
        mount --bind precious .app.gen-{ID}
        mount --bind precious .app.gen-ffffffffffffffff/inside
        mount -t tmpfs tmpfs .app.gen-eeeeeeeeeeeeeeee
        echo data > .app.gen-eeeeeeeeeeeeeeee/file"
    );
    again_with_mounts("what_is_mounted_on_or_in_a_generation_is_not_entered", &script);
}

fn sweep_around_mounts(folder: &Path) {
    let dir = eager().open(folder.join("app")).unwrap();
    let locked = dir.try_lock().unwrap();
    assert_eq!(locked.sweep().deferred().len(), 3, "{:?}", locked.sweep());
    for file in ["precious/file", ".app.gen-eeeeeeeeeeeeeeee/file", ".app.gen-ffffffffffffffff/inside/file"] {
        assert_eq!(fs::read_to_string(folder.join(file)).unwrap(), "data\n");
    }
    // Its owner gets in to empty it, and so does a reader who has just followed the link.
    assert_eq!(mode(folder.join(".app.gen-ffffffffffffffff")), 0o711);
}

#[test]
fn a_pinned_unfinished_generation_is_left_too() {
    let place = Place::new();
    let id = place.publish(eager(), &[("a", "1")], at(0)).generation;
    let held = Snapshot::open(place.link()).unwrap();
    place.publish(eager(), &[("a", "2")], at(1));
    symlink(format!(".app.gen-{id}"), place.path().join(format!(".app.tmp-{id}"))).unwrap();
    let dir = place.open(eager());
    let locked = place.lock(&dir, at(2));
    assert_eq!(locked.sweep().pinned(), [id]);
    assert_eq!(held.read(&FileName::new("a").unwrap()).unwrap(), b"1");
}
