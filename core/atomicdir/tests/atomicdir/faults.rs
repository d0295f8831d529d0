//! Failures in the middle: the old set stays, and nothing new is left.

use std::fs;

use atomicdir::{Attributes, FileName, Mode, NewFile, Options, Owner, Refusal};

use crate::support::{Place, SETTLED, at};

#[test]
fn a_staging_that_is_dropped_leaves_nothing() {
    let place = Place::new();
    place.publish(Options::new(), &[("a", "old")], at(0));
    let dir = place.open(Options::new());
    let mut locked = place.lock(&dir, at(1));
    let mut staging = locked.stage().unwrap();
    let attributes = Attributes::with_mode(Mode::OWNER_READS);
    staging.write(&FileName::new("x/y").unwrap(), NewFile::new(b"new", attributes)).unwrap();
    drop(staging);
    assert_eq!(place.names(), SETTLED);
    assert_eq!(place.read("a"), "old");
}

#[test]
fn a_staging_that_lacks_a_file_is_not_published() {
    let place = Place::new();
    place.publish(Options::new(), &[("a", "old")], at(0));
    let dir = place.open(Options::new());
    let mut locked = place.lock(&dir, at(1));
    let mut staging = locked.stage().unwrap();
    let file = NewFile::new(b"new", Attributes::with_mode(Mode::OWNER_READS));
    staging.write(&FileName::new("a").unwrap(), file).unwrap();
    let twice = staging.write(&FileName::new("a").unwrap(), file).unwrap_err();
    assert_eq!(twice.io_error().unwrap().kind(), std::io::ErrorKind::AlreadyExists);

    let error = staging.publish(None).unwrap_err();
    assert_eq!(error.refusal(), Some(&Refusal::Incomplete));
    assert_eq!(place.read("a"), "old");
    assert_eq!(place.names(), SETTLED);
}

#[test]
fn an_error_names_the_very_file_or_directory() {
    let place = Place::new();
    let dir = place.open(Options::new());
    let mut locked = place.lock(&dir, at(0));
    let mut staging = locked.stage().unwrap();
    let file = NewFile::new(b"", Attributes::with_mode(Mode::OWNER_READS));
    staging.write(&FileName::new("d/a").unwrap(), file).unwrap();
    let generation = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path());
    let generation =
        generation.into_iter().find(|path| path.to_string_lossy().contains(".app.gen-")).unwrap();
    for (name, at_fault) in [("d/a", "d/a"), ("d/a/b", "d/a"), ("d/a/b/c", "d/a")] {
        let error = staging.write(&FileName::new(name).unwrap(), file).unwrap_err();
        assert_eq!((error.step().number(), error.path()), (6, generation.join(at_fault).as_path()));
    }
}

#[test]
fn what_took_the_links_place_meanwhile_is_not_replaced() {
    let place = Place::new();
    place.publish(Options::new(), &[("a", "old")], at(0));
    let dir = place.open(Options::new());
    let mut locked = place.lock(&dir, at(1));
    let staging = locked.stage().unwrap();
    let target = fs::read_link(place.link()).unwrap();
    fs::remove_file(place.link()).unwrap();
    fs::write(place.link(), "precious").unwrap();
    let error = staging.publish(None).unwrap_err();
    assert_eq!((error.step().number(), error.refusal()), (9, Some(&Refusal::Appeared)));
    assert_eq!(fs::read_to_string(place.link()).unwrap(), "precious");
    let old = fs::metadata(place.path().join(target)).unwrap();
    assert_eq!(old.modified().unwrap(), at(0));
}

#[test]
fn a_link_that_names_another_generation_of_ours_meanwhile_is_not_flipped_either() {
    let place = Place::new();
    let first = place.publish(Options::new(), &[("a", "1")], at(0)).generation;
    place.publish(Options::new(), &[("a", "2")], at(1));
    let dir = place.open(Options::new());
    let mut locked = place.lock(&dir, at(2));
    let staging = locked.stage().unwrap();
    fs::remove_file(place.link()).unwrap();
    std::os::unix::fs::symlink(format!(".app.gen-{first}"), place.link()).unwrap();
    let error = staging.publish(None).unwrap_err();
    assert_eq!((error.step().number(), error.refusal()), (9, Some(&Refusal::Appeared)));
    assert_eq!(place.read("a"), "1");
}

#[test]
fn a_lock_that_is_removed_meanwhile_is_not_relied_on() {
    let place = Place::new();
    let dir = place.open(Options::new());
    let mut locked = place.lock(&dir, at(1));
    let staging = locked.stage().unwrap();
    fs::remove_file(place.path().join(".app.state/lock")).unwrap();
    let error = staging.publish(None).unwrap_err();
    assert_eq!(error.refusal(), Some(&Refusal::LockRemoved));
    assert!(!place.link().exists());
}

#[test]
fn an_owner_that_needs_a_privilege_is_refused_without_it() {
    let stranger = Owner { user: Some(12345), group: None };
    let mine = Owner { user: Some(rustix::process::geteuid().as_raw()), group: None };
    assert!(mine.ensure_permitted().is_ok());
    let root = rustix::process::geteuid().is_root();
    assert_eq!(stranger.ensure_permitted().is_ok(), root);
}
