//! Two runs at once.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::fs::{FlockOperation, flock};

use crate::support::{Ran, Site};

/// Holds the lock of a site as another run would.
fn hold_lock(site: &Site) -> File {
    let lock = File::open(site.path().join("out/.app.state/lock")).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
    lock
}

#[test]
fn one_waits_and_both_end_well() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    site.secret("a", "2");
    let lock = hold_lock(&site);
    let mut waiting =
        site.command(&["sync", "-v"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(waiting.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("waiting for another run to end")));
    assert_eq!(site.read("a"), b"1");
    drop(lock);
    let rest: Vec<_> = lines.map(Result::unwrap).collect();
    let ran = Ran::from(waiting.wait_with_output().unwrap()).expect_exit(0);
    assert!(ran.stdout.starts_with("published"), "{ran:?} {rest:?}");
    assert_eq!(site.read("a"), b"2");
}

#[test]
fn who_may_not_wait_is_told_that_it_is_busy() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let _lock = hold_lock(&site);
    let before = site.fingerprint();
    let ran = site.run(&["sync", "--wait", "0s", "-v"]).expect_exit(5);
    assert!(!ran.stderr.contains("waiting for another run"), "{ran:?}");
    ran.expect_error(&[
        "error: cannot lock ",
        ".app.state/lock",
        "(step 2, lock): another run holds the lock",
        "hint: ",
    ]);
    assert_eq!(site.fingerprint(), before);
}

#[test]
fn many_runs_at_once_all_end_well_and_leave_one_generation() {
    let site = Site::with_secrets(&[("a", b"1"), ("b/c", b"2")]);
    let runs: Vec<_> = (0..6)
        .map(|_| site.command(&["sync"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    let ended: Vec<_> =
        runs.into_iter().map(|run| Ran::from(run.wait_with_output().unwrap()).expect_exit(0)).collect();
    let published = ended.iter().filter(|ran| ran.stdout.starts_with("published")).count();
    assert_eq!(published, 1, "{ended:?}");
    assert_eq!(site.names(), [".app.gen", "app", "state/lock", "state/made", "state/note"]);
}
