//! `[on-change]`: once for each change, and never forgotten.

use std::fs;

use crate::support::{COMMAND, HEAD, Ran, Site, assert_ends, contract};

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

    /// Makes the last failure of the command one of long ago.
    fn let_pause_pass(&self) {
        let notes =
            fs::read_dir(self.path().join("out/.app.state")).unwrap().map(|entry| entry.unwrap().path());
        let mut notes = notes.filter(|path| path.to_string_lossy().contains("/note-"));
        let (note, None) = (notes.next().unwrap(), notes.next()) else { panic!("more than one note") };
        let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&note).unwrap()).unwrap();
        manifest["attempts"]["last"] = 1_000_000.into();
        fs::write(note, manifest.to_string()).unwrap();
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
    assert_eq!((site.told(), site.announcement()), (2, "succeeded".into()));
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
    assert!(site.run(&["status"]).stdout.contains("pending: [on-change] has not succeeded yet"));
    assert_eq!(site.run(&["status", "--json"]).json()["last_success_at"], serde_json::Value::Null);

    let ran = site.run(&["sync"]).expect_exit(6);
    assert!(ran.stdout.starts_with("unchanged"), "{ran:?}");
    assert_eq!(site.told(), 2);

    // Two failures in a row: the next repeat waits, whatever the command would do.
    site.hook("echo x >> told");
    let ran = site.run(&["sync"]).expect_exit(6);
    ran.expect_error(&[
        "the on-change command has failed 2 times in a row, and is not retried yet",
        "hint: ",
    ]);
    assert_eq!((site.told(), site.announcement()), (2, "pending".into()));
    site.let_pause_pass();
    site.sync();
    assert_eq!((site.told(), site.announcement()), (3, "succeeded".into()));
    site.sync();
    assert_eq!(site.told(), 3);
}

#[test]
fn a_command_that_was_changed_in_the_configuration_does_not_wait() {
    let site = site("echo x >> told; exit 3");
    site.run(&["sync"]).expect_exit(6);
    site.run(&["sync"]).expect_exit(6);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("\"hook\"]", "\"mended\"]"));
    fs::write(site.path().join("mended"), "echo x >> told").unwrap();
    site.sync();
    assert_eq!((site.told(), site.announcement()), (3, "succeeded".into()));
}

/// A change is announced at once, however often the command has failed for the last one.
#[test]
fn a_change_does_not_wait_for_the_pause_after_the_failures_of_the_last_one() {
    let site = site("echo x >> told; exit 3");
    site.run(&["sync"]).expect_exit(6);
    site.run(&["sync"]).expect_exit(6);
    site.secret("s1", "changed");
    site.run(&["sync"]).expect_exit(6).expect_error(&["the on-change command `sh` failed"]);
    assert_eq!(site.told(), 3);
}

#[test]
fn a_program_and_its_folder_count_from_the_configuration_wherever_it_is_run() {
    let site = site("");
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let (before, rest) = config.split_once("command = ").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    fs::create_dir(site.path().join("hooks")).unwrap();
    let hook = site.path().join("hooks/told.sh");
    secretdir_testkit::write_program(&hook, "#!/bin/sh\necho \"$1\" >> told; pwd >> told\n");
    for program in ["hooks/told.sh", "./hooks/told.sh"] {
        site.config(&format!("{before}command = [{program:?}, {program:?}]\n{rest}"));
        site.secret("s1", program);
        let mut command = site.command(&["sync"]);
        Ran::of(command.current_dir("/")).expect_exit(0);
        let told = fs::read_to_string(site.path().join("told")).unwrap();
        let folder = fs::canonicalize(site.path()).unwrap();
        assert_eq!(told, format!("{program}\n{}\n", folder.display()));
        fs::remove_file(site.path().join("told")).unwrap();
    }
}

#[test]
fn one_of_a_configuration_from_a_pipe_runs_in_the_root_folder_and_comes_from_nowhere_in_particular() {
    let site = site("");
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let told = site.path().join("told");
    let path = |name: &str| format!("{:?}", site.path().join(name));
    let (before, rest) = config.split_once("command = ").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    let command = format!("command = [\"sh\", \"-c\", \"pwd > {}\"]\n", told.display());
    let config = format!("{before}{command}{rest}").replace("\"out/app\"", &path("out/app"));
    fs::write(site.path().join("stream.toml"), config.replace("\"source\"", &path("source"))).unwrap();
    for secret in ["x", "y"] {
        site.secret("s1", secret);
        let mut piped = std::process::Command::new("sh");
        let script = "cat stream.toml | \"$0\" sync --config /dev/stdin";
        site.prepare(piped.args(["-c", script, COMMAND]));
        let ran = Ran::of(&mut piped).expect_exit(0);
        assert!(!ran.stderr.contains("each replaces"), "{ran:?}");
        assert_eq!(fs::read_to_string(&told).unwrap(), "/\n");
    }
    assert!(site.run(&["status", "--json"]).json()["generation"]["publisher"].is_null());
}

#[test]
fn one_that_does_not_end_is_killed_with_all_that_it_started() {
    let site = site("trap '' TERM; sleep 600 & echo $! > child; echo $$ >> child; sleep 600; sleep 600");
    let ran = site.run(&["sync"]).expect_exit(6);
    ran.expect_error(&["error: the on-change command `sh` did not end within 2s"]);
    fs::read_to_string(site.path().join("child")).unwrap().lines().for_each(assert_ends);
}

#[test]
fn a_child_that_outlives_it_and_ignores_sigterm_is_killed_too() {
    let site = site("(trap '' TERM; exec sleep 600) & echo $! > child; wait");
    site.run(&["sync"]).expect_exit(6).expect_error(&["did not end within 2s"]);
    assert_ends(fs::read_to_string(site.path().join("child")).unwrap().trim());
}

#[test]
fn a_child_that_it_leaves_behind_on_purpose_lives_on() {
    let site = site("sleep 600 > /dev/null 2>&1 & echo $! > child");
    site.sync();
    let id: i32 = fs::read_to_string(site.path().join("child")).unwrap().trim().parse().unwrap();
    let child = rustix::process::Pid::from_raw(id).unwrap();
    rustix::process::kill_process(child, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn whoever_may_not_wait_to_begin_may_wait_to_note_the_success() {
    // While the command runs, another run holds the lock for a while.
    let site = site(
        "flock -x out/.app.state/lock sh -c 'echo held > held; sleep 0.3' & while ! [ -e held ]; do :; done; echo x >> told",
    );
    site.run(&["sync", "--wait", "0s"]).expect_exit(0);
    assert_eq!((site.told(), site.announcement()), (1, "succeeded".into()));
}

#[test]
fn a_note_that_is_gone_or_damaged_counts_as_pending() {
    for damage in [
        "rm out/.app.state/note-*",
        ": > out/.app.state/note-*",
        "echo {} > out/.app.state/note-*; rm out/.app.state/note-*",
    ] {
        let site = site("echo x >> told");
        site.sync();
        let script = damage.replace("out/.app.state/note-*", "$(echo out/.app.state/note-*)");
        Ran::of(std::process::Command::new("sh").args(["-c", &script]).current_dir(site.path()))
            .expect_exit(0);
        assert!(site.sync().stdout.starts_with("unchanged"));
        assert_eq!((site.told(), site.announcement()), (2, "succeeded".into()), "{damage}");
        site.sync();
        assert_eq!(site.told(), 2);
    }
}

#[test]
fn one_that_is_added_later_does_not_announce_what_is_published() {
    let site = site("echo x >> told");
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("[on-change]\ncommand = [\"sh\", \"hook\"]\ntimeout = \"2s\"\n", ""));
    site.sync();
    site.config(&config);
    site.sync();
    assert_eq!(site.told(), 0);
}

#[test]
fn it_succeeds_for_a_runner_that_ignores_the_ends_of_children() {
    let site = site("echo x >> told");
    let ignore = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])";
    let mut command = std::process::Command::new("python3");
    site.prepare(command.args(["-c", ignore, COMMAND, "sync"]));
    Ran::of(&mut command).expect_exit(0);
    assert_eq!((site.told(), site.announcement()), (1, "succeeded".into()));
}

#[test]
fn one_that_cannot_be_started_is_named() {
    let site = site("");
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("[\"sh\", \"hook\"]", "[\"./no-such-program\"]"));
    site.run(&["sync"]).expect_exit(6).expect_error(&[
        "cannot start the on-change command `./no-such-program`: No such file",
        "hint: a relative path with a slash starts at the folder of the configuration file",
    ]);
}

#[test]
fn it_sees_the_new_set_and_may_call_secretdir_itself() {
    let site = site(
        "cp \"$SECRETDIR_PATH/f1\" seen; SECRETDIR_CONFIG=secretdir.toml \"$(cat command)\" sync --json > inner 2> warned; echo x >> told",
    );
    fs::write(site.path().join("command"), COMMAND).unwrap();
    site.sync();
    assert_eq!(fs::read(site.path().join("seen")).unwrap(), b"1");
    assert!(
        fs::read_to_string(site.path().join("warned"))
            .unwrap()
            .contains("another run is still running the on-change command")
    );
    let inner: serde_json::Value =
        serde_json::from_slice(&fs::read(site.path().join("inner")).unwrap()).unwrap();
    contract::validate(&inner).unwrap();
    assert_eq!(
        (inner["state"].as_str(), inner["on_change"].as_str()),
        (Some("unchanged"), Some("running-elsewhere"))
    );
    assert_eq!((site.told(), site.announcement()), (1, "succeeded".into()));
}

#[test]
fn it_gets_back_the_umask_that_the_command_was_started_with() {
    let site = site("umask > mask");
    let mut command = std::process::Command::new("sh");
    site.prepare(command.args(["-c", "umask 027; exec \"$COMMAND\" sync"]));
    Ran::of(command.env("COMMAND", COMMAND)).expect_exit(0);
    assert_eq!(fs::read_to_string(site.path().join("mask")).unwrap().trim(), "0027");
}

#[test]
fn what_it_prints_is_not_the_result() {
    let site = site("echo to-stdout");
    let ran = site.sync();
    assert!(!ran.stdout.contains("to-stdout"), "{ran:?}");
    assert!(ran.stderr.contains("to-stdout"), "{ran:?}");
}
