//! `[on-change]`: once for each change, and never forgotten.

use std::fs;

use crate::support::{HEAD, Site};

/// A site with 50 files, whose command is a script with these lines. What it says goes to `told`.
fn site(script: &str) -> Site {
    let site = Site::new();
    let mut config =
        format!("{HEAD}\n[on-change]\ncommand = [\"sh\", \"hook\"]\ntimeout = \"2s\"\n\n[files]\n");
    for number in 0..50 {
        site.secret(&format!("s{number}"), "1");
        config.push_str(&format!("\"f{number}\" = {{ source = \"local\", secret = \"s{number}\" }}\n"));
    }
    site.config(&config);
    site.hook(script);
    site
}

impl Site {
    fn hook(&self, script: &str) {
        fs::write(self.path().join("hook"), script).unwrap();
    }

    fn told(&self) -> usize {
        fs::read_to_string(self.path().join("told")).unwrap_or_default().lines().count()
    }

    fn announcement(&self) -> serde_json::Value {
        self.run(&["status", "--json"]).expect_exit(0).json()["generation"]["on_change"].clone()
    }
}

#[test]
fn it_runs_once_for_fifty_changed_files_and_not_when_unchanged() {
    let site = site("echo x >> told");
    site.sync();
    assert_eq!(site.told(), 1);
    for number in 0..50 {
        site.secret(&format!("s{number}"), "2");
    }
    let ran = site.run(&["sync", "--json"]).expect_exit(0).json();
    assert_eq!(
        (ran["on_change"].as_str(), ran["changes"].as_array().unwrap().len()),
        (Some("succeeded"), 50)
    );
    assert_eq!(site.told(), 2);
    let before = site.fingerprint();
    assert_eq!(site.run(&["sync", "--json"]).expect_exit(0).json()["on_change"], "not-needed");
    assert_eq!((site.told(), site.announcement()), (2, "done".into()));
    assert_eq!(site.fingerprint(), before);
}

#[test]
fn a_failure_is_exit_6_and_the_next_run_repeats_it_although_nothing_changed() {
    let site = site("echo x >> told; exit 3");
    let ran = site.run(&["sync"]).expect_exit(6);
    assert!(ran.stdout.starts_with("published 50 files"), "{ran:?}");
    ran.expect_error(&[
        "error: the on-change command `sh` failed: exit status: 3",
        "hint: the new set is current",
    ]);
    assert_eq!(site.announcement(), "pending");
    assert!(site.run(&["status"]).stdout.contains("pending: the on-change command has not succeeded yet"));
    assert_eq!(site.run(&["status", "--json"]).json()["last_success"], serde_json::Value::Null);

    let ran = site.run(&["sync"]).expect_exit(6);
    assert!(ran.stdout.starts_with("unchanged"), "{ran:?}");
    site.hook("echo x >> told");
    site.sync();
    assert_eq!((site.told(), site.announcement()), (3, "done".into()));
    site.sync();
    assert_eq!(site.told(), 3);
}

#[test]
fn one_that_does_not_end_is_killed_with_all_that_it_started() {
    let site = site("trap '' TERM; sleep 600 & echo $! > child; echo $$ >> child; sleep 600; sleep 600");
    let ran = site.run(&["sync"]).expect_exit(6);
    ran.expect_error(&["error: the on-change command `sh` did not end within 2s"]);
    for id in fs::read_to_string(site.path().join("child")).unwrap().lines() {
        let state = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let gone = state.is_empty() || state.rsplit(") ").next().unwrap().starts_with('Z');
        assert!(gone, "{id} lives: {state}");
    }
}

#[test]
fn one_that_cannot_be_started_is_named() {
    let site = site("");
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("[\"sh\", \"hook\"]", "[\"./no-such-program\"]"));
    site.run(&["sync"])
        .expect_exit(6)
        .expect_error(&["cannot start the on-change command `./no-such-program`: No such file"]);
}

#[test]
fn it_sees_the_new_set_and_may_call_secretdir_itself() {
    let site = site(
        "cp \"$SECRETDIR_PATH/f1\" seen; SECRETDIR_CONFIG=secretdir.toml \"$(cat command)\" sync --json > inner; echo x >> told",
    );
    fs::write(site.path().join("command"), crate::support::COMMAND).unwrap();
    site.sync();
    assert_eq!(fs::read(site.path().join("seen")).unwrap(), b"1");
    let inner: serde_json::Value =
        serde_json::from_slice(&fs::read(site.path().join("inner")).unwrap()).unwrap();
    assert_eq!(
        (inner["state"].as_str(), inner["on_change"].as_str()),
        (Some("unchanged"), Some("running-elsewhere"))
    );
    assert_eq!((site.told(), site.announcement()), (1, "done".into()));
}

#[test]
fn it_gets_back_the_umask_that_the_command_was_started_with() {
    let site = site("umask > mask");
    let mut command = std::process::Command::new("sh");
    site.prepare(command.args(["-c", &format!("umask 027; exec {} sync", crate::support::COMMAND)]));
    crate::support::Ran::of(&mut command).expect_exit(0);
    assert_eq!(fs::read_to_string(site.path().join("mask")).unwrap().trim(), "0027");
}

#[test]
fn what_it_prints_is_not_the_result() {
    let site = site("echo to-stdout");
    let ran = site.sync();
    assert!(!ran.stdout.contains("to-stdout"), "{ran:?}");
    assert!(ran.stderr.contains("to-stdout"), "{ran:?}");
}
