//! What a person is told to do about mistakes that are made often.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Command, Stdio};

use crate::support::{COMMAND, HEAD, OTHER_USER, Ran, Site, is_root};

const FILE: &str = "[files]\n\"a\" = { source = \"local\", secret = \"a\" }\n";

/// A site with a command after each change.
fn with_command(command: &str) -> Site {
    let site = Site::new();
    site.secret("a", "1");
    site.config(&format!("{HEAD}\n[on-change]\ncommand = {command}\n\n{FILE}"));
    site
}

/// Runs `sync`, whose command cannot be started, and `check`, which must say the same without trying.
fn expect_not_startable(site: &Site, error: &[&str]) -> Ran {
    let check = site.run(&["check", "--json"]).expect_exit(2).expect_error(error);
    let told: serde_json::Value = serde_json::from_str(&check.stdout).unwrap();
    assert_eq!(told["errors"][0]["kind"], "command-not-startable", "{check:?}");
    site.run(&["check", "--fetch"]).expect_exit(2).expect_error(error);
    site.run(&["sync"]).expect_exit(6).expect_error(error)
}

#[test]
fn a_command_that_is_not_there_is_told_apart_from_one_that_lacks_its_interpreter() {
    const REPEATED: &str = "; the new set is current; the next run repeats the command";
    for (command, error, hint) in [
        (
            "[\"no-such-program\"]",
            "cannot start the on-change command `no-such-program`: No such file",
            "hint: no folder of PATH has it",
        ),
        ("[\"/opt/x reload\"]", "`/opt/x reload`: No such file", "hint: write the program and each argument"),
        ("[\"/no/such\"]", "`/no/such`: No such file", ""),
    ] {
        let ran = expect_not_startable(&with_command(command), &[error, hint]);
        assert!(ran.stderr.contains(REPEATED.trim_start_matches("; ")), "{ran:?}");
    }
    let site = Site::new();
    let hook = site.path().join("hook");
    for (script, error, hint) in [
        (
            "#!/bin/sh\r\nexit\r\n",
            r"its interpreter `/bin/sh\r` was not found",
            "hint: its lines end with carriage returns",
        ),
        ("exit\n", "Exec format error", "hint: name its interpreter in its first line"),
        ("#!/usr/bin/env bash\r\nexit\r\n", r"bash\r", "hint: its lines end with carriage returns"),
        (
            "#!/no/interpreter\n",
            "its interpreter `/no/interpreter` was not found",
            "hint: install its interpreter, or correct its first line",
        ),
    ] {
        let site = with_command(&format!("[{hook:?}]"));
        secretdir_testkit::write_program(&hook, script);
        expect_not_startable(&site, &[error, hint]);
        // There the C library starts a shell for a script without a first line, and `env` tells what it does not find.
        if script.starts_with("#!") && !script.contains("/env ") {
            site.run(&["exec", "--", hook.to_str().unwrap()]).expect_exit(126).expect_error(&[error, hint]);
        }
    }
    // `env -S` takes a carriage return for a blank.
    let site = with_command(&format!("[{hook:?}]"));
    secretdir_testkit::write_program(&hook, "#!/usr/bin/env -S python3 -u\r\nprint(1)\r\n");
    for command in ["check", "sync"] {
        site.run(&[command]).expect_exit(0);
    }
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o644)).unwrap();
    let site = with_command(&format!("[{hook:?}]"));
    let error = ["Permission denied", "hint: make it executable"];
    expect_not_startable(&site, &error);
    site.run(&["exec", "--", hook.to_str().unwrap()]).expect_exit(126).expect_error(&error);
}

/// After the second failure in a row the next run does not repeat it.
#[test]
fn a_command_that_keeps_failing_is_said_to_be_repeated_when_it_is() {
    let site = with_command("[\"false\"]");
    site.run(&["sync"]).expect_exit(6).expect_error(&["the next run repeats the command"]);
    let again = site.run(&["sync"]).expect_exit(6);
    let again =
        again.expect_error(&["hint: the new set is current; a run repeats the command once 1m have passed"]);
    assert!(!again.stderr.contains("the next run"), "{again:?}");
}

#[test]
fn a_busy_run_names_the_option_that_waits() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.config(&fs::read_to_string(site.path().join("secretdir.toml")).unwrap().replace(
        "[files]",
        "[sources.slow]\nprovider = \"exec\"\ncommand = [\"sh\", \"-c\", \"echo x > started; read line < fifo; echo $0\", \"{secret}\"]\n\
         [files]\nb = { source = \"slow\", secret = \"b\" }",
    ));
    let fifo = site.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let run = site.command(&["sync"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Opening it for writing waits until the first run's program has opened it for reading: the lock is held then.
    let held = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    site.run(&["sync", "--wait", "0s"])
        .expect_exit(5)
        .expect_error(&["hint: let this run wait longer: --wait 5m"]);
    drop(held);
    Ran::from(run.wait_with_output().unwrap()).expect_exit(0);
}

#[test]
fn a_group_that_is_not_mapped_into_the_namespace_is_named_as_that() {
    if !is_root("a_group_that_is_not_mapped_into_the_namespace_is_named_as_that") {
        return;
    }
    for key in ["owner", "group"] {
        let site = Site::with_secrets(&[("a", b"1")]);
        let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
        site.config(&config.replace("[sources", &format!("{key} = 12345\n[sources")));
        let mut command = Command::new("unshare");
        site.prepare(command.args(["--user", "--map-root-user", COMMAND, "sync"]));
        Ran::of(&mut command).expect_exit(4).expect_error(&[
            "the user or group is not mapped into this user namespace",
            "hint: map it into the namespace of this container",
        ]);
    }
}

#[test]
fn what_belongs_to_root_is_left_by_a_run_as_root() {
    if !is_root("what_belongs_to_root_is_left_by_a_run_as_root") {
        return;
    }
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    chown(site.path().join("out"), Some(OTHER_USER), None).unwrap();
    let user = OTHER_USER.to_string();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]);
    site.prepare(command.args([COMMAND, "sync"]));
    Ran::of(&mut command).expect_exit(4).expect_error(&["hint: ", "as root"]);
}

#[test]
fn habits_from_elsewhere_are_answered_with_what_to_write() {
    let site = Site::new();
    site.secret("a", r#"{"x": {"y": "1"}}"#);
    for (config, text) in [
        (
            HEAD.replace("[sources", "file-mode = 0440\n[sources") + FILE,
            "a mode goes in quotes, such as \"0440\"",
        ),
        (HEAD.replace("[sources", "mode = 0750\n[sources") + FILE, "a mode goes in quotes, such as \"0440\""),
        (HEAD.replace("[sources", "mode = 750\n[sources") + FILE, "expected permission bits in quotes"),
        (
            format!("{HEAD}\n[files]\ndb/password = {{ source = \"local\", secret = \"a\" }}\n"),
            "goes in quotes: \"db/password\"",
        ),
        (
            format!("{HEAD}\n[on-change]\ncommand = \"systemctl reload app\"\n{FILE}"),
            r#"write ["systemctl", "reload", "app"]"#,
        ),
        (
            format!("{HEAD}\n[on-change]\ncommand = [\"systemctl reload app\"]\n{FILE}"),
            r#"write ["systemctl", "reload", "app"]"#,
        ),
        ("{\n  \"directory\": {}\n}\n".to_owned(), "this looks like JSON, but a configuration is TOML"),
        ("directory:\n  path: out/app\n".to_owned(), "this looks like YAML, but a configuration is TOML"),
    ] {
        site.config(&config);
        site.run(&["check"]).expect_exit(2).expect_error(&[text]);
    }
    site.config(&format!("{HEAD}\n[files]\na = {{ source = \"local\", secret = \"a\", field = \"x.y\" }}\n"));
    site.run(&["sync"]).expect_exit(3).expect_error(&["write field = \"/x/y\""]);
}

/// A program that is found later in PATH counts, as it does when it is started.
#[test]
fn check_finds_all_commands_that_cannot_be_started_and_no_other() {
    let site = Site::new();
    site.secret("a", "1");
    let sections = "[verify]\ncommand = [\"/no/verify\"]\n[on-change]\ncommand = [\"no-on-change\"]\n";
    let head = HEAD.replace("\n\n", "\nowner = \"no-such-user\"\n\n");
    site.config(&format!("{head}{sections}{FILE}"));
    let ran = site.run(&["check"]).expect_exit(2);
    ran.expect_error(&[
        "no-such-user",
        "the verify command `/no/verify`",
        "the on-change command `no-on-change`",
    ]);

    let (first, second) = (site.path().join("first"), site.path().join("second"));
    for folder in [&first, &second] {
        fs::create_dir(folder).unwrap();
    }
    fs::write(first.join("hook"), "not a program").unwrap();
    secretdir_testkit::write_program(&second.join("hook"), "#!/bin/sh\nexit 0\n");
    site.config(&format!("{HEAD}\n[on-change]\ncommand = [\"hook\"]\n\n{FILE}"));
    let path = std::env::join_paths([&first, &second]).unwrap();
    for command in ["check", "sync"] {
        Ran::of(site.command(&[command]).env("PATH", &path)).expect_exit(0);
    }
    // Paths in PATH, and of interpreters, count from the folder of the configuration, where the command runs.
    for (path, script) in [
        ("/usr/bin:/bin:second", "#!/bin/sh\n"),
        ("second:/usr/bin:/bin", "#!second/sh\n"),
        ("first:second", "#!/bin/sh\n"),
    ] {
        let site = Site::new();
        site.secret("a", "1");
        for folder in ["first", "second", "elsewhere"] {
            fs::create_dir(site.path().join(folder)).unwrap();
        }
        std::os::unix::fs::symlink("/bin/sh", site.path().join("second/sh")).unwrap();
        secretdir_testkit::write_program(&site.path().join("first/hook"), "#!/no/interpreter\n");
        secretdir_testkit::write_program(&site.path().join("second/hook"), script);
        site.config(&format!("{HEAD}\n[on-change]\ncommand = [\"hook\"]\n\n{FILE}"));
        for command in ["check", "sync"] {
            let elsewhere = site.path().join("elsewhere");
            Ran::of(site.command(&[command]).env("PATH", path).current_dir(elsewhere)).expect_exit(0);
        }
    }
}

/// `check` says what `sync` meets.
#[test]
fn what_is_no_program_is_told_as_the_kernel_does() {
    let site = Site::new();
    let at = |name: &str| site.path().join(name);
    fs::create_dir(at("folder")).unwrap();
    std::os::unix::fs::symlink("loop", at("loop")).unwrap();
    secretdir_testkit::write_program(&at("script"), "#!/etc/passwd\n");
    for (name, error) in
        [("folder", "Is a directory"), ("loop", "symbolic links"), ("script", "Permission denied")]
    {
        expect_not_startable(&with_command(&format!("[{:?}]", at(name))), &[error]);
    }
}
