//! What is refused, before anything is touched.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use atomicdir::{FileName, Options, Refusal, Step};
use rustix::fs::{CWD, FileType, mknodat};

use crate::support::{Place, at, text, wanted};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn make(path: &Path, kind: FileType) {
    mknodat(CWD, path, kind, 0o600.into(), 0).unwrap();
}

#[test]
fn anything_but_our_own_link_is_left_alone() {
    type Plant = fn(&Path);
    let cases: [(&str, Plant); 8] = [
        ("it is a regular file, not a symbolic link", |link| fs::write(link, "precious").unwrap()),
        ("it is a directory, not a symbolic link", |link| fs::create_dir(link).unwrap()),
        ("it is a FIFO, not a symbolic link", |link| make(link, FileType::Fifo)),
        ("it is a socket, not a symbolic link", |link| make(link, FileType::Socket)),
        ("it points to `/etc`, which is not one of its generations", |link| symlink("/etc", link).unwrap()),
        ("it points to `.`, which is not one of its generations", |link| symlink(".", link).unwrap()),
        ("it points to `x/.app.gen-0123456789abcdef`, which is not one of its generations", |link| {
            symlink("x/.app.gen-0123456789abcdef", link).unwrap();
        }),
        ("it points to `.app.tmp-0123456789abcdef`, which is not one of its generations", |link| {
            symlink(".app.tmp-0123456789abcdef", link).unwrap();
        }),
    ];
    for (expected, plant) in cases {
        let place = Place::new();
        plant(&place.link());
        let before = fs::symlink_metadata(place.link()).unwrap().modified().unwrap();
        let dir = place.open(Options::new());
        let error = place.try_lock(&dir, at(0)).unwrap_err();
        let link = place.link();
        assert_eq!(
            text(&error),
            format!("cannot publish at `{}` (step 3, look at the link): {expected}", link.display())
        );
        assert!(error.hint().is_some());
        assert_eq!(fs::symlink_metadata(&link).unwrap().modified().unwrap(), before);
        assert_eq!(place.names(), ["app", "state/lock"]);
    }
}

#[test]
fn a_name_that_appears_meanwhile_is_not_replaced() {
    let place = Place::new();
    let dir = place.open(Options::new());
    let mut locked = place.lock(&dir, at(0));
    let staging = locked.stage().unwrap();
    fs::write(place.link(), "precious").unwrap();
    let error = staging.publish(None).unwrap_err();
    assert_eq!(error.refusal(), Some(&Refusal::Appeared));
    assert_eq!(fs::read_to_string(place.link()).unwrap(), "precious");
    drop(locked);
    assert_eq!(place.names(), ["app", "state/lock"]);
}

#[test]
fn a_parent_that_everyone_can_write_to_is_refused_unless_sticky() {
    let place = Place::new();
    set_mode(place.path(), 0o777);
    let error = Options::new().open(place.link()).unwrap_err();
    assert!(matches!(error.refusal(), Some(Refusal::Replaceable(_))), "{error:?}");
    assert!(place.names().is_empty());
    set_mode(place.path(), 0o1777);
    place.publish(Options::new(), &[("a", "1")], at(0));
    set_mode(place.path(), 0o755);
}

#[test]
fn a_parent_that_is_a_file_is_named() {
    let place = Place::new();
    fs::write(place.path().join("file"), "").unwrap();
    let error = Options::new().open(place.path().join("file/app")).unwrap_err();
    assert_eq!(error.io_error().unwrap().kind(), std::io::ErrorKind::NotADirectory);
    assert_eq!(error.path(), place.path().join("file"));
}

#[test]
fn a_lock_that_is_not_a_plain_file_is_refused() {
    type Plant = fn(&Path, &Path);
    let cases: [Plant; 3] = [
        |lock, other| symlink(other, lock).unwrap(),
        |lock, other| fs::hard_link(other, lock).unwrap(),
        |lock, _| make(lock, FileType::Fifo),
    ];
    for plant in cases {
        let place = Place::new();
        let other = place.path().join("other");
        fs::write(&other, "").unwrap();
        fs::create_dir(place.state()).unwrap();
        plant(&place.state().join("lock"), &other);
        let error = place.try_lock(&place.open(Options::new()), at(0)).unwrap_err();
        assert_eq!(error.refusal(), Some(&Refusal::NotALockFile));
    }
}

#[test]
fn one_run_at_a_time() {
    let place = Place::new();
    let (one, other) = (place.open(Options::new()), place.open(Options::new()));
    let held = place.lock(&one, at(0));
    assert!(other.try_lock().unwrap_err().is_busy());
    let began = Instant::now();
    let error = other.lock(Duration::from_millis(30)).unwrap_err();
    assert!(began.elapsed() >= Duration::from_millis(30));
    assert_eq!(
        (error.refusal(), error.is_busy(), error.is_after_flip()),
        (Some(&Refusal::Busy), true, false)
    );
    drop(held);
    assert!(other.lock(Duration::ZERO).is_ok());
}

#[test]
fn a_reserved_name_is_refused_and_the_staging_goes() {
    let place = Place::new();
    let refused = atomicdir::fill(place.link(), |staging| staging.write(".app.state", "x")).unwrap_err();
    assert!(text(&refused).contains("the name starts with `.app.`"), "{}", text(&refused));
    assert!(FileName::new(".app.state").is_ok());
    assert_eq!(place.names(), ["state/lock"]);
}

#[test]
fn a_generation_that_became_something_else_is_an_error_and_not_an_empty_set() {
    let place = Place::new();
    let id = place.publish(Options::new(), &[("a", "1")], at(0)).generation;
    let generation = place.path().join(format!(".app.gen-{id}"));
    fs::remove_dir_all(&generation).unwrap();
    fs::write(&generation, "").unwrap();
    let dir = place.open(Options::new());
    let locked = place.lock(&dir, at(1));
    let error = locked.compare(&wanted(&[("a", "1")])).unwrap_err();
    assert_eq!((error.refusal(), error.step()), (Some(&Refusal::NotAGeneration), Step::Compare));
}
