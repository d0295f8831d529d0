//! The command `exec`: it runs a program that keeps the published set while it runs.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{COMMAND, HEAD, Ran, Site, assert_ends};

const SETTLED: [&str; 5] = [".app.gen", "app", "state/lock", "state/made", "state/note"];

/// A site with two files, of which superseded generations are not retained.
fn published() -> Site {
    let site = Site::new();
    let eager = HEAD.replace("path = \"out/app\"", "path = \"out/app\"\nretain = \"0s\"");
    let files = ["a", "d/b"].map(|name| format!("{name:?} = {{ source = \"local\", secret = {name:?} }}\n"));
    site.config(&format!("{eager}\n[files]\n{}", files.concat()));
    publish(&site, "old");
    site
}

/// Publishes this as both files.
fn publish(site: &Site, value: &str) -> Ran {
    site.secret("a", format!("{value} "));
    site.secret("d/b", format!("{value}\n"));
    site.run(&["sync", "--json"]).expect_exit(0)
}

fn exec(site: &Site, program: &[&str]) -> Command {
    site.command(&[&["exec", "--"], program].concat())
}

/// Starts a shell in the place of the command, with pipes to all that it reads and writes.
fn start(site: &Site, script: &str) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut command = exec(site, &["sh", "-c", script]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    (child, lines)
}

#[test]
fn a_program_is_told_the_own_path_of_the_generation_and_keeps_its_environment() {
    let site = published();
    let script = "echo $SECRETDIR_PATH; cat $SECRETDIR_PATH/a $SECRETDIR_PATH/d/b; echo $OWN $SECRETDIR_CONFIG; echo $*";
    let mut command = exec(&site, &["sh", "-c", script, "sh", "--json", "-x"]);
    let ran = Ran::of(command.env("OWN", "kept").env("SECRETDIR_PATH", "another")).expect_exit(0);
    let own = fs::canonicalize(site.link()).unwrap();
    let config = site.path().join("secretdir.toml");
    let expected = format!("{}\nold old\nkept {}\n--json -x\n", own.display(), config.display());
    assert_eq!((ran.stdout, ran.stderr), (expected, String::new()));
}

#[test]
fn what_a_program_reads_stays_until_it_has_ended() {
    let site = published();
    let both = "cat $SECRETDIR_PATH/a $SECRETDIR_PATH/d/b";
    let (mut child, mut lines) = start(&site, &format!("{both}; read line; {both}"));
    assert_eq!(lines.next().as_deref(), Some("old old"));
    for value in ["new", "newer"] {
        assert_eq!(publish(&site, value).json()["pinned_count"], 1);
        assert_eq!(site.read("a"), format!("{value} ").into_bytes());
    }
    let status = site.run(&["status", "--json"]).json();
    assert_eq!(
        (status["superseded"].as_array().unwrap().len(), &status["superseded"][0]["pinned"]),
        (1, &true.into())
    );
    child.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    assert_eq!(lines.next().as_deref(), Some("old old"));
    assert!(child.wait().unwrap().success());
    assert_eq!(site.sync().stdout.lines().count(), 1);
    assert_eq!(site.names(), SETTLED);
}

#[test]
fn what_a_program_has_started_holds_the_pin_too() {
    let site = published();
    let (mut child, mut lines) = start(&site, "exec 9<&0; cat <&9 >/dev/null 2>&1 & echo $!");
    let id = lines.next().unwrap();
    let held = child.stdin.take();
    assert!(child.wait().unwrap().success());
    assert_eq!(publish(&site, "new").json()["pinned_count"], 1);
    drop(held);
    assert_ends(&id);
    site.sync();
    assert_eq!(site.names(), SETTLED);
}

#[test]
fn how_a_program_ends_is_how_the_command_ends() {
    let site = published();
    Ran::of(&mut exec(&site, &["sh", "-c", "exit 7"])).expect_exit(7);
    assert_eq!(Ran::of(&mut exec(&site, &["sh", "-c", "kill -KILL $$"])).status.signal(), Some(9));
    let (child, mut lines) = start(&site, "echo $$; exec cat");
    assert_eq!(lines.next().unwrap(), child.id().to_string());
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).status.signal(), Some(15));
}

#[test]
fn a_program_has_the_umask_of_its_user_and_the_usual_signals() {
    let site = published();
    let mut shell = Command::new("sh");
    let script = "umask 027; exec $1 exec -- sh -c 'umask; exec cat /proc/self/status'";
    site.prepare(shell.args(["-c", script, "sh", COMMAND]));
    let ran = Ran::of(&mut shell).expect_exit(0);
    assert!(ran.stdout.starts_with("0027\n"), "{ran:?}");
    let mask = |name: &str| {
        let line = ran.stdout.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    let broken_pipe = 1 << (13 - 1);
    assert_eq!((mask("SigIgn:") & broken_pipe, mask("SigBlk:"), mask("SigCgt:")), (0, 0, 0), "{ran:?}");
}

#[test]
fn a_program_that_is_not_there_or_cannot_be_run_is_told_apart() {
    let site = published();
    let file = site.path().join("source/a");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    for (program, exit, text) in [
        ("no-such-program", 127, "error: `no-such-program` was not found\n"),
        ("./no-such-program", 127, "error: `./no-such-program` was not found\n"),
        ("./source/a", 126, "error: `./source/a` cannot be run: Permission denied"),
        ("./source", 126, "error: `./source` cannot be run: Is a directory"),
    ] {
        Ran::of(&mut exec(&site, &[program])).expect_exit(exit).expect_error(&[text]);
        let json = site.run(&["exec", "--json", "--", program]).expect_exit(exit).json();
        assert_eq!((&json["state"], &json["exit_code"]), (&"failed".into(), &exit.into()));
    }
}

#[test]
fn what_keeps_a_program_from_being_started_has_an_exit_code_of_its_own() {
    let site = published();
    for arguments in [
        &["exec"][..],
        &["exec", "true"],
        &["exec", "--"],
        &["exec", "--bogus", "--", "true"],
        &["exec", "--bogus=1", "x", "--", "true"],
        &["--config", "secretdir.toml", "exec", "--wait", "1s", "--", "true"],
    ] {
        let ran = site.run(arguments).expect_exit(125);
        assert!(ran.stderr.starts_with("error: ") && ran.stdout.is_empty(), "{ran:?}");
    }
    site.run(&["sync", "exec"]).expect_exit(2);
    site.run(&["exec", "--help"]).expect_exit(0);

    let run = |site: &Site| site.run(&["exec", "--json", "--", "true"]).expect_exit(125);
    site.config("[directory]\npth = \"x\"");
    assert_eq!(run(&site).expect_error(&["did you mean `path`?"]).json()["exit_code"], 125);
    fs::remove_file(site.path().join("secretdir.toml")).unwrap();
    run(&site).expect_error(&["there is no such file"]);

    let site = Site::with_secrets(&[("a", b"1")]);
    assert_eq!(run(&site).json()["errors"][0]["hint"], "run `secretdir sync` first");
}

/// Puts a program there. By another process: a file that one of a test's own threads has open to write cannot be run.
fn install(path: &Path, bytes: &[u8]) {
    let written = path.with_extension("written");
    fs::write(&written, bytes).unwrap();
    secretdir_testkit::copy_program(&written, path);
}

#[test]
fn of_a_program_that_is_there_it_is_said_what_is_not() {
    let site = published();
    let tools = site.path().join("tools");
    fs::create_dir(&tools).unwrap();
    // The loader that a binary names stands in its bytes.
    let mut binary = fs::read(COMMAND).unwrap();
    let loader = binary.windows(4).position(|bytes| bytes == b"/ld-").unwrap();
    binary[loader + 1] = b'x';
    for (name, bytes, text) in [
        ("sc", &b"#!/no/such/python -u\nprint()\n"[..], "its interpreter `/no/such/python` was not found"),
        ("spaces", b"#! \t/no/such\nx", "its interpreter `/no/such` was not found"),
        ("relative", b"#!no-such", "its interpreter `no-such` was not found"),
        (
            "nested",
            format!("#!{}/sc\n", tools.display()).as_bytes(),
            "the interpreter or loader that it needs was not",
        ),
        ("binary", &binary, "it exists, but the interpreter or loader that it needs was not found"),
    ] {
        install(&tools.join(name), bytes);
        for program in [format!("tools/{name}"), name.to_owned()] {
            let mut command = exec(&site, &[&program]);
            let ran = Ran::of(command.env("PATH", &tools)).expect_exit(126);
            ran.expect_error(&[&format!("error: `{program}` cannot be run: "), text]);
        }
    }
    install(&tools.join("windows"), b"#!/bin/sh\r\n");
    let ran = Ran::of(&mut exec(&site, &["tools/windows"])).expect_exit(126);
    ran.expect_error(&[
        r"its interpreter `/bin/sh\r` was not found",
        "hint: its lines end with carriage returns",
    ]);
}
