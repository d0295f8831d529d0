//! What a killed run leaves, and what only looks like it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use atomicdir::{Options, Status};

use crate::support::{Place, SETTLED, at, text, wanted};

const ID: &str = "0123456789abcdef";

#[test]
fn whatever_a_killed_run_left_is_swept_away() {
    let place = Place::new();
    place.publish(Options::new(), &[("a", "1")], at(0));
    place.leave_unfinished(ID);
    assert_eq!(Status::of(place.link()).unwrap().unfinished.len(), 1);
    let dir = place.open(Options::new());
    let locked = place.lock(&dir, at(1));
    assert_eq!(locked.sweep().removed().len(), 1);
    assert_eq!(place.names(), SETTLED);
    assert_eq!(place.read("a"), "1");
}

/// Each name that a killed run may leave, alone; the generation with its record, without which it is not ours.
#[test]
fn each_part_of_a_leftover_alone_is_swept_away() {
    let mark = format!(".app.tmp-{ID}");
    let generation = format!(".app.gen-{ID}");
    let (note, record) = (format!(".app.state/note-{ID}"), format!(".app.state/made-{ID}"));
    for kept in
        [vec![&mark], vec![&note], vec![&record], vec![&mark, &generation, &record], vec![&note, &record]]
    {
        let place = Place::new();
        place.leave_unfinished(ID);
        for name in [&mark, &generation, &note, &record].into_iter().filter(|name| !kept.contains(name)) {
            let path = place.path().join(name);
            if *name == generation {
                fs::remove_dir_all(path).unwrap()
            } else {
                fs::remove_file(path).unwrap()
            }
        }
        drop(place.lock(&place.open(Options::new()), at(0)));
        assert_eq!(place.names(), ["state/lock"], "{kept:?}");
    }
}

/// A run that is killed between making the directory and putting it on record.
#[test]
fn an_empty_directory_without_a_record_is_swept_away_if_it_is_marked() {
    let place = Place::new();
    symlink(format!(".app.gen-{ID}"), place.path().join(format!(".app.tmp-{ID}"))).unwrap();
    fs::create_dir(place.path().join(format!(".app.gen-{ID}"))).unwrap();
    drop(place.lock(&place.open(Options::new()), at(0)));
    assert_eq!(place.names(), ["state/lock"]);
}

/// Its time says that a run succeeded when it was made: the run that made it was killed before it could say otherwise.
#[test]
fn a_lock_that_was_never_stamped_claims_no_success() {
    let place = Place::new();
    fs::create_dir(place.state()).unwrap();
    let lock = fs::File::create(place.state().join("lock")).unwrap();
    lock.set_modified(at(9)).unwrap();
    assert_eq!(Status::of(place.link()).unwrap().last_success, None, "there is no link");
    let dir = place.open(Options::new());
    let mut locked = place.lock(&dir, at(10));
    let _ = locked.stage().unwrap().publish(None).unwrap();
    drop(locked);
    assert_eq!(Status::of(place.link()).unwrap().last_success, None, "the run did not end well");
}

#[test]
fn a_mark_beside_the_link_to_its_generation_goes_alone() {
    let place = Place::new();
    let id = place.publish(Options::new(), &[("a", "1")], at(0)).generation;
    symlink(format!(".app.gen-{id}"), place.path().join(format!(".app.tmp-{id}"))).unwrap();
    drop(place.lock(&place.open(Options::new()), at(1)));
    assert_eq!(place.names(), SETTLED);
    assert_eq!(place.read("a"), "1");
}

#[test]
fn names_that_are_not_exactly_ours_stay() {
    let place = Place::new();
    let strangers = [
        ".app.tmp-0123456789abcde",
        ".app.gen-0123456789abcdef0",
        ".apptmp-0123456789abcdef",
        ".ap.tmp-0123456789abcdef",
    ];
    for name in strangers {
        fs::write(place.path().join(name), "mine").unwrap();
    }
    drop(place.lock(&place.open(Options::new()), at(0)));
    for name in strangers {
        assert_eq!(fs::read_to_string(place.path().join(name)).unwrap(), "mine");
    }
}

/// Plants something under a name of ours, runs, and returns why it was left.
fn left(plant: impl FnOnce(&Place, &Path)) -> String {
    let place = Place::new();
    let outside = place.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("precious"), "data").unwrap();
    plant(&place, &outside);
    let dir = place.open(Options::new().retain(std::time::Duration::ZERO));
    let locked = place.lock(&dir, at(0));
    assert_eq!(fs::read_to_string(outside.join("precious")).unwrap(), "data");
    let [deferred] = locked.sweep().deferred() else { panic!("{:?}", locked.sweep()) };
    text(deferred).replace(&place.path().display().to_string(), "P")
}

#[test]
fn a_generation_that_is_a_link_or_a_file_is_left_and_said_so() {
    let linked =
        left(|place, outside| symlink(outside, place.path().join(format!(".app.gen-{ID}"))).unwrap());
    assert_eq!(
        linked,
        format!(
            "cannot use `P/.app.gen-{ID}` (step 4, heal): it is not a directory on the filesystem of its parent"
        )
    );
    let file = left(|place, _| fs::write(place.path().join(format!(".app.gen-{ID}")), "").unwrap());
    assert_eq!(file, linked);
}

#[test]
fn a_mark_that_is_no_link_condemns_nothing() {
    let place = Place::new();
    let first = place.publish(Options::new(), &[("a", "1")], at(0)).generation;
    place.publish(Options::new(), &[("a", "2")], at(1));
    fs::write(place.path().join(format!(".app.tmp-{first}")), "").unwrap();
    let dir = place.open(Options::new());
    let locked = place.lock(&dir, at(2));
    assert_eq!(locked.sweep().deferred().len(), 1);
    assert!(place.path().join(format!(".app.gen-{first}/a")).exists());
}

#[test]
fn a_generation_is_removed_only_if_it_is_on_record() {
    let eager = || Options::new().retain(std::time::Duration::ZERO);
    for condemned in [true, false] {
        for recorded in ["", "1", "x"] {
            let place = Place::new();
            place.leave_unfinished(ID);
            let record = place.state().join(format!("made-{ID}"));
            fs::remove_file(&record).unwrap();
            if !recorded.is_empty() {
                symlink(recorded, &record).unwrap();
            }
            if !condemned {
                fs::remove_file(place.path().join(format!(".app.tmp-{ID}"))).unwrap();
            }
            let dir = place.open(eager());
            let locked = place.lock(&dir, at(0));
            let [error] = locked.sweep().deferred() else { panic!("{:?}", locked.sweep()) };
            assert_eq!(error.refusal(), Some(&atomicdir::Refusal::NotOnRecord));
            assert!(place.path().join(format!(".app.gen-{ID}/deep/er/file")).exists());
        }
    }
}

#[test]
fn a_name_that_is_not_utf_8_is_never_taken_for_one_that_is() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    place.publish(Options::new(), &[("\u{fffd}", "1")], at(0));
    let (good, bad) =
        (place.link().join("\u{fffd}"), place.link().join(std::ffi::OsStr::from_bytes(b"\xff")));
    let dir = place.open(Options::new());
    assert!(place.lock(&dir, at(1)).compare(&wanted(&[("\u{fffd}", "1")])).unwrap().is_same());
    fs::rename(good, bad).unwrap();
    let comparison = place.lock(&dir, at(1)).compare(&wanted(&[("\u{fffd}", "1")])).unwrap();
    assert_eq!(comparison.changes().len(), 2, "{comparison:?}");
}

#[test]
fn whatever_its_owner_makes_of_a_generation_it_is_compared_and_removed() {
    let eager = || Options::new().retain(std::time::Duration::ZERO).durability(atomicdir::Durability::None);
    let place = Place::new();
    place.publish(eager(), &[("a", "1")], at(0));
    let mut here = fs::File::open(place.link()).unwrap();
    for _ in 0..2_000 {
        rustix::fs::mkdirat(&here, "d", rustix::fs::Mode::RWXU).unwrap();
        let flags = rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::RDONLY;
        here = rustix::fs::openat(&here, "d", flags, rustix::fs::Mode::empty()).unwrap().into();
    }
    assert!(Status::of(place.link()).unwrap().current.is_some());
    assert!(!eager().compare(place.link(), &wanted(&[("a", "1")])).unwrap().comparison.is_same());
    let run = place.publish(eager(), &[("a", "1")], at(1));
    assert_eq!((run.sweep.removed().len(), run.sweep.deferred().len()), (1, 0));
    assert_eq!(place.names(), SETTLED);
}
