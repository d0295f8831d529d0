//! What `check` finds out about this machine.

use std::fs;
use std::process::Command;

use crate::support::{COMMAND, OTHER_USER, Ran, Site, is_root};

#[test]
fn check_finds_what_a_run_would_refuse_on_this_machine() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(
        &config.replace("[directory]", "[directory]\nowner = \"no-such-user\"\ngroup = \"no-such-group\""),
    );
    site.run(&["check"]).expect_exit(2).expect_error(&[
        "secretdir.toml:2:1: directory.owner: there is no user `no-such-user` on this system",
        "secretdir.toml:3:1: directory.group: there is no group `no-such-group` on this system",
    ]);
    site.run(&["check", "--all-profiles"]).expect_exit(0);
    site.config(&config);
    fs::create_dir(site.path().join("out")).unwrap();
    fs::create_dir(site.link()).unwrap();
    site.run(&["check"]).expect_exit(4).expect_error(&["it is a directory, not a symbolic link", "hint: "]);
    fs::remove_dir(site.link()).unwrap();
    fs::write(site.link(), "").unwrap();
    site.run(&["check"]).expect_exit(4).expect_error(&["it is a regular file, not a symbolic link"]);
    fs::remove_file(site.link()).unwrap();
    site.run(&["check"]).expect_exit(0);
    assert_eq!(site.names(), Vec::<String>::new(), "it makes nothing");
}

/// Says that `check` tells of an error that a run meets.
fn expect_same(site: &Site, errors: &[&str]) {
    let check = site.run(&["check", "--json"]).expect_error(errors);
    let sync = site.run(&["sync", "--json"]).expect_exit(4).expect_error(errors);
    let kind = |ran: &Ran| ran.json()["errors"][0]["kind"].clone();
    assert_eq!((check.status, kind(&check)), (sync.status, kind(&sync)), "{check:?}");
}

#[test]
fn check_finds_what_is_in_the_place_of_the_lock_and_of_the_set() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let lock = site.path().join("out/.app.state/lock");
    let aside = site.path().join("aside");
    fs::hard_link(&lock, &aside).unwrap();
    expect_same(&site, &["it is not a regular file with exactly one name"]);
    fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink(&aside, &lock).unwrap();
    expect_same(&site, &["it is not a regular file with exactly one name"]);
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    expect_same(&site, &["it is not a regular file with exactly one name"]);
    fs::remove_dir(&lock).unwrap();
    site.sync();
    fs::remove_file(site.link()).unwrap();
    fs::write(site.path().join("out/.app.gen-AAAAAAAAAAAAAAAA"), "").unwrap();
    std::os::unix::fs::symlink(".app.gen-AAAAAAAAAAAAAAAA", site.link()).unwrap();
    expect_same(&site, &["it is not a directory on the filesystem of its parent"]);
}

#[test]
fn check_finds_what_is_in_the_place_of_the_stamp() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("[files]", "[on-change]\nstamp = \"changed\"\n[files]"));
    site.run(&["check"]).expect_exit(0);
    let stamp = site.path().join("out/changed");
    fs::create_dir_all(&stamp).unwrap();
    let meets = |what: &str| {
        let check = site.run(&["check", "--json"]).expect_exit(4).expect_error(&[what, "hint: move it away"]);
        assert_eq!(check.json()["errors"][0]["kind"], "not-a-stamp");
        site.run(&["sync"]).expect_exit(6).expect_error(&[what, "hint: move it away", "touches the stamp"])
    };
    meets("it is a directory, not a file that was made here");
    assert!(!meets("it is a directory").stderr.contains("command"));
    fs::remove_dir(&stamp).unwrap();
    std::os::unix::fs::symlink("elsewhere", &stamp).unwrap();
    meets("it is a symbolic link");
    fs::remove_file(&stamp).unwrap();
    // However often it failed: nothing waits once it is mended.
    site.sync();
    assert!(fs::symlink_metadata(&stamp).unwrap().is_file());
}

#[test]
fn a_path_that_is_moved_while_the_command_runs_is_told() {
    for script in ["mv out old", "mv out old; mkdir out", "mv out old; exit 3"] {
        let site = Site::with_secrets(&[("a", b"1")]);
        let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
        let command = format!("[on-change]\ncommand = [\"sh\", \"-c\", \"{script}\"]\n[files]");
        site.config(&config.replace("[files]", &command));
        let ran = site.run(&["sync", "--json"]).expect_exit(6);
        let ran = ran.expect_error(&["its path now leads to another place", "hint: the set was published"]);
        assert_eq!(ran.json()["errors"][0]["kind"], "path-moved", "{script}");
        assert_eq!(ran.json()["on_change"], "pending", "{script}");
        site.config(&config);
        site.sync();
        assert_eq!(site.read("a"), b"1");
    }
}

/// Runs a subcommand of a copy that another user may start, as that user.
fn run_as_other(site: &Site, subcommand: &str) -> Ran {
    Ran::of(Command::new("cp").arg(COMMAND).arg(site.path().join("secretdir"))).expect_exit(0);
    let user = [format!("--reuid={OTHER_USER}"), format!("--regid={OTHER_USER}")];
    let mut command = Command::new("setpriv");
    command.args(user).args(["--clear-groups", "--", "./secretdir", subcommand]);
    site.prepare(&mut command);
    Ran::of(&mut command)
}

#[test]
fn check_finds_whom_this_user_may_not_give_files_to() {
    if !is_root("check_finds_whom_this_user_may_not_give_files_to") {
        return;
    }
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let run = |subcommand| run_as_other(&site, subcommand);
    fs::create_dir(site.path().join("out")).unwrap();
    std::os::unix::fs::chown(site.path().join("out"), Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    for who in ["group = \"root\"", "group = 0", "owner = \"root\"", "owner = 0"] {
        site.config(&config.replace("[directory]", &format!("[directory]\n{who}")));
        for subcommand in ["check", "sync"] {
            run(subcommand).expect_exit(4).expect_error(&["giving files to ", " needs root or CAP_CHOWN"]);
        }
    }
    site.config(&config.replace("[directory]", &format!("[directory]\nowner = {OTHER_USER}")));
    let ran = run("check").expect_exit(0);
    assert!(!ran.stderr.contains("warning: "), "{ran:?}");
}

#[test]
fn check_finds_where_this_user_may_not_publish() {
    if !is_root("check_finds_where_this_user_may_not_publish") {
        return;
    }
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let check = || run_as_other(&site, "check");
    fs::create_dir(site.path().join("out")).unwrap();
    check().expect_exit(4).expect_error(&["cannot write to ", "Permission denied"]);
    for missing in ["out/new/app", "out/new/deeper/app"] {
        site.config(&config.replace("out/app", missing));
        check().expect_exit(4).expect_error(&["cannot create ", "out/new`", "Permission denied"]);
    }
    std::os::unix::fs::chown(site.path().join("out"), Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    check().expect_exit(0);
    assert_eq!(site.names(), Vec::<String>::new(), "it makes nothing");
}
