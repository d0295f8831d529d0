//! Failures in the middle: the old set stays, and nothing new is left.

use std::fs;

use atomicdir::{Attributes, File, FileName, Mode, Options, Owner};

use crate::support::{Place, at};

#[test]
fn a_staging_that_is_dropped_leaves_nothing() {
    let place = Place::new();
    place.publish(Options::new(), &[("a", "old")], at(0));
    let dir = place.open(Options::new());
    let mut locked = dir.try_lock(at(1)).unwrap().unwrap();
    let mut staging = locked.stage().unwrap();
    let attributes = Attributes::with_mode(Mode::OWNER_READS);
    staging.write(&FileName::new("x/y").unwrap(), File { bytes: b"new", attributes }).unwrap();
    drop(staging);
    assert_eq!(place.names(), [".app.gen", ".app.lock", ".app.note", "app"]);
    assert_eq!(place.read("a"), "old");
}

#[test]
fn a_name_written_twice_fails_and_a_flip_that_fails_keeps_the_old_time() {
    let place = Place::new();
    place.publish(Options::new(), &[("a", "old")], at(0));
    let dir = place.open(Options::new());
    let mut locked = dir.try_lock(at(1)).unwrap().unwrap();
    let mut staging = locked.stage().unwrap();
    let file = File { bytes: b"", attributes: Attributes::with_mode(Mode::OWNER_READS) };
    staging.write(&FileName::new("a").unwrap(), file).unwrap();
    let twice = staging.write(&FileName::new("a").unwrap(), file).unwrap_err();
    assert_eq!(twice.io_error().unwrap().kind(), std::io::ErrorKind::AlreadyExists);

    // A directory in the link's place is what rename cannot replace.
    let target = fs::read_link(place.link()).unwrap();
    fs::remove_file(place.link()).unwrap();
    fs::create_dir(place.link()).unwrap();
    let error = staging.publish(None, at(1)).unwrap_err();
    assert_eq!(error.step().number(), 9);
    let old = fs::metadata(place.path().join(target)).unwrap();
    assert_eq!(old.modified().unwrap(), at(0));
}

#[test]
fn an_owner_that_needs_a_privilege_is_refused_without_it() {
    let stranger = Owner { user: Some(12345), group: None };
    let mine = Owner { user: Some(rustix::process::geteuid().as_raw()), group: None };
    assert!(mine.ensure_permitted().is_ok());
    let root = rustix::process::geteuid().is_root();
    assert_eq!(stranger.ensure_permitted().is_ok(), root);
}
