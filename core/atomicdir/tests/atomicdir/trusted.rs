//! Snapshots of what a publisher made, and of nothing else.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;
use std::time::Duration;

use atomicdir::{FileName, Options, Parents, Refusal, Snapshot};
use rustix::fs::{FlockOperation, flock};
use secretdir_testkit::is_root;

use crate::support::{Place, at};

const STRANGER: u32 = 4321;

fn eager() -> Options {
    Options::new().retain(Duration::ZERO)
}

fn open(place: &Place) -> Result<Option<Snapshot>, atomicdir::Error> {
    Options::new().open_snapshot(place.link())
}

/// Returns the path of the generation that the link names.
fn generation(place: &Place) -> PathBuf {
    place.path().join(fs::read_link(place.link()).unwrap())
}

#[test]
fn a_snapshot_is_pinned_and_has_the_own_path_of_its_generation() {
    let place = Place::new();
    place.publish(eager(), &[("d/a", "old")], at(0));
    let beside = Place::new();
    symlink(place.path(), beside.path().join("folder")).unwrap();
    let ways = [place.link(), beside.path().join("folder/app")];
    let snapshots = ways.map(|way| Options::new().open_snapshot(way).unwrap().unwrap());
    let own = fs::canonicalize(generation(&place)).unwrap();
    assert_eq!(place.publish(eager(), &[("d/a", "new")], at(1)).sweep.pinned().len(), 1);
    for snapshot in &snapshots {
        assert_eq!(snapshot.path(), own);
        assert_eq!(snapshot.read(&FileName::new("d/a").unwrap()).unwrap(), b"old");
    }
    drop(snapshots);
    assert_eq!(place.lock(&place.open(eager()), at(2)).sweep().removed().len(), 1);
}

#[test]
fn where_nothing_is_published_there_is_none_but_a_generation_that_is_gone_is_an_error() {
    let place = Place::new();
    assert!(open(&place).unwrap().is_none());
    assert!(Options::new().open_snapshot(place.path().join("no/such/app")).unwrap().is_none());
    place.publish(eager(), &[("a", "1")], at(0));
    fs::remove_dir_all(generation(&place)).unwrap();
    assert!(open(&place).unwrap_err().is_not_found());
}

#[test]
fn what_no_publisher_made_is_not_opened() {
    let place = Place::new();
    place.publish(eager(), &[("a", "1")], at(0));
    let (made, aside) = (generation(&place), place.path().join("aside"));
    fs::rename(&made, &aside).unwrap();
    // Another directory, which is not the one on record.
    fs::create_dir(&made).unwrap();
    assert_eq!(open(&place).unwrap_err().refusal(), Some(&Refusal::Swapped));
    fs::remove_dir(&made).unwrap();
    symlink(&aside, &made).unwrap();
    assert_eq!(open(&place).unwrap_err().refusal(), Some(&Refusal::NotAGeneration));
    fs::remove_file(&made).unwrap();
    fs::rename(&aside, &made).unwrap();
    assert!(open(&place).unwrap().is_some());

    fs::remove_file(place.link()).unwrap();
    symlink(&made, place.link()).unwrap();
    assert_eq!(open(&place).unwrap_err().refusal(), Some(&Refusal::PointsElsewhere(made)));
}

#[test]
fn a_set_whose_record_is_lost_can_still_be_read() {
    let place = Place::new();
    place.publish(eager(), &[("a", "1")], at(0));
    fs::remove_dir_all(place.state()).unwrap();
    assert!(open(&place).unwrap().is_some());
}

#[test]
fn a_generation_locked_against_readers_is_an_error_that_ends() {
    let place = Place::new();
    place.publish(eager(), &[("a", "1")], at(0));
    let held = open(&place).unwrap().unwrap();
    flock(held.as_fd(), FlockOperation::NonBlockingLockExclusive).unwrap();
    assert_eq!(open(&place).unwrap_err().refusal(), Some(&Refusal::NotPinned(1000)));
}

#[test]
fn what_a_stranger_could_replace_is_not_opened() {
    if !is_root("what_a_stranger_could_replace_is_not_opened") {
        return;
    }
    let place = Place::new();
    place.publish(eager(), &[("a", "1")], at(0));
    let trusted = || Options::new().parents(Parents::Trusted).open_snapshot(place.link());
    chown(place.path(), Some(STRANGER), None).unwrap();
    let refused = open(&place).unwrap_err();
    assert!(matches!(refused.refusal(), Some(Refusal::Replaceable(_))), "{refused:?}");
    assert!(trusted().unwrap().is_some());

    // Where others can put names, a generation of theirs is not ours.
    chown(place.path(), Some(0), None).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(trusted().unwrap().is_some());
    chown(generation(&place), Some(STRANGER), None).unwrap();
    let refused = trusted().unwrap_err();
    assert!(matches!(refused.refusal(), Some(Refusal::NotOurs { owner: STRANGER, .. })), "{refused:?}");
}

#[test]
fn a_file_is_read_into_a_buffer_that_has_room_for_it() {
    let place = Place::new();
    let text = "x".repeat(100_000);
    place.publish(eager(), &[("a", &text)], at(0));
    let snapshot = open(&place).unwrap().unwrap();
    let mut bytes = b"before".to_vec();
    assert_eq!(snapshot.read_into(&FileName::new("a").unwrap(), &mut bytes).unwrap(), text.len());
    assert_eq!(bytes, [b"before", text.as_bytes()].concat());
    assert!(bytes.capacity() < bytes.len() + 1000, "{}", bytes.capacity());
    assert!(snapshot.read_into(&FileName::new("b").unwrap(), &mut bytes).unwrap_err().is_not_found());
}
