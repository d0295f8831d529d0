//! What inotify does not hear: a filesystem of FUSE shows another folder, where others change files; or a limit is reached.

use std::fs;
use std::process::Command;

use secretdir_testkit::{is_root, leave_out};

use super::{Watch, content, eventually, site};
use crate::support::COMMAND;

/// The first process of a namespace: whatever it leaves behind ends with it.
const MOUNTED: &str = "bindfs behind source && exec \"$0\" watch";

#[test]
fn changes_behind_a_filesystem_that_is_silent_are_found_by_the_turns_as_the_log_says() {
    let test =
        "watch::silent::changes_behind_a_filesystem_that_is_silent_are_found_by_the_turns_as_the_log_says";
    if !is_root(test) {
        return;
    }
    if fs::File::open("/dev/fuse").is_err() {
        return leave_out(test, "there is no FUSE here");
    }
    let site = site("1s", "");
    fs::rename(site.path().join("source"), site.path().join("behind")).unwrap();
    fs::create_dir(site.path().join("source")).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", MOUNTED, COMMAND]);
    site.prepare(&mut command);
    let mut watch = Watch::of(&mut command);
    let source = fs::canonicalize(site.path().join("source")).unwrap();
    let line = watch.hear("found only by the regular runs");
    let words =
        format!("warning: changes in `{}` (FUSE) are found only by the regular runs", source.display());
    assert!(line.ends_with(&words), "{line}");
    eventually("the first set", || content(&site) == "1");
    fs::write(site.path().join("behind/a"), "2").unwrap();
    eventually("the change", || content(&site) == "2");
}

#[test]
fn a_limit_of_inotify_is_warned_of_and_the_turns_go_on() {
    // Not every machine lets others make a namespace of users.
    if !is_root("watch::silent::a_limit_of_inotify_is_warned_of_and_the_turns_go_on") {
        return;
    }
    let site = site("1s", "");
    // In a namespace of users, the limit is that of the namespace.
    let script = "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$0\" watch";
    let mut command = Command::new("unshare");
    site.prepare(command.args(["--user", "--map-root-user", "sh", "-c", script, COMMAND]));
    let mut watch = Watch::of(&mut command);
    watch.hear("warning: changes of files are found only by the regular runs: Too many open files");
    eventually("the first set", || content(&site) == "1");
    site.secret("a", "2");
    eventually("the change", || content(&site) == "2");
    let lines = watch.stop();
    assert_eq!(lines.iter().filter(|line| line.contains("regular runs")).count(), 1, "{lines:#?}");
}
