//! What a killed run leaves, and what only looks like it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use atomicdir::{Options, Status};

use crate::support::{Place, at, text};

const ID: &str = "0123456789abcdef";

fn leave_unfinished(place: &Place) {
    symlink(format!(".app.gen-{ID}"), place.path().join(format!(".app.tmp-{ID}"))).unwrap();
    let generation = place.path().join(format!(".app.gen-{ID}"));
    fs::create_dir_all(generation.join("deep/er")).unwrap();
    fs::write(generation.join("deep/er/file"), "half").unwrap();
    symlink(place.path(), generation.join("deep/out")).unwrap();
    fs::write(place.path().join(format!(".app.note-{ID}")), "half").unwrap();
}

#[test]
fn whatever_a_killed_run_left_is_swept_away() {
    let place = Place::new();
    place.publish(Options::new(), &[("a", "1")], at(0));
    leave_unfinished(&place);
    assert_eq!(Status::of(place.link()).unwrap().unfinished.len(), 1);
    let dir = place.open(Options::new());
    let locked = dir.try_lock(&|| at(1)).unwrap().unwrap();
    assert_eq!(locked.sweep().removed().len(), 1);
    assert_eq!(place.names(), [".app.gen", ".app.lock", ".app.note", "app"]);
    assert_eq!(place.read("a"), "1");
}

#[test]
fn each_part_of_a_leftover_alone_is_swept_away() {
    for part in ["gen", "note", "tmp"] {
        let place = Place::new();
        leave_unfinished(&place);
        for other in ["gen", "note", "tmp"].into_iter().filter(|other| *other != part) {
            // A generation without its mark is a finished one: it stays until it is due.
            if (part, other) == ("gen", "tmp") {
                continue;
            }
            let path = place.path().join(format!(".app.{other}-{ID}"));
            if path.is_dir() && !path.is_symlink() {
                fs::remove_dir_all(path).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
        }
        drop(place.open(Options::new()).try_lock(&|| at(0)).unwrap().unwrap());
        assert_eq!(place.names(), [".app.lock"], "{part}");
    }
}

/// Its time says that a run succeeded when it was made: the run that made it was killed before it could say otherwise.
#[test]
fn a_lock_that_was_never_stamped_claims_no_success() {
    let place = Place::new();
    let lock = fs::File::create(place.path().join(".app.lock")).unwrap();
    lock.set_modified(at(9)).unwrap();
    assert_eq!(Status::of(place.link()).unwrap().last_success, None, "there is no link");
    let dir = place.open(Options::new());
    let mut locked = dir.try_lock(&|| at(10)).unwrap().unwrap();
    let _ = locked.stage().unwrap().publish(None, &|| at(10)).unwrap();
    drop(locked);
    assert_eq!(Status::of(place.link()).unwrap().last_success, None, "the run did not end well");
}

#[test]
fn a_mark_beside_the_link_to_its_generation_goes_alone() {
    let place = Place::new();
    let id = place.publish(Options::new(), &[("a", "1")], at(0)).generation;
    symlink(format!(".app.gen-{id}"), place.path().join(format!(".app.tmp-{id}"))).unwrap();
    drop(place.open(Options::new()).try_lock(&|| at(1)).unwrap().unwrap());
    assert_eq!(place.names(), [".app.gen", ".app.lock", ".app.note", "app"]);
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
    drop(place.open(Options::new()).try_lock(&|| at(0)).unwrap().unwrap());
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
    let locked = dir.try_lock(&|| at(0)).unwrap().unwrap();
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
    let locked = dir.try_lock(&|| at(2)).unwrap().unwrap();
    assert_eq!(locked.sweep().deferred().len(), 1);
    assert!(place.path().join(format!(".app.gen-{first}/a")).exists());
}
