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

#[test]
fn check_finds_where_this_user_may_not_publish() {
    if !is_root("check_finds_where_this_user_may_not_publish") {
        return;
    }
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    Ran::of(Command::new("cp").arg(COMMAND).arg(site.path().join("secretdir"))).expect_exit(0);
    let check = || {
        let user = [format!("--reuid={OTHER_USER}"), format!("--regid={OTHER_USER}")];
        let mut command = Command::new("setpriv");
        command.args(user).args(["--clear-groups", "--", "./secretdir", "check"]);
        site.prepare(&mut command);
        Ran::of(&mut command)
    };
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
