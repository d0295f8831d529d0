//! A run that waited for the lock publishes the configuration as it is by then.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};

use super::files;
use crate::support::{COMMAND, Ran, Site};

/// Starts a run that waits for the lock, does something, and lets the run go on.
fn while_a_run_waits(site: &Site, meanwhile: impl Fn()) -> Ran {
    while_it_waits(site, site.command(&["sync", "-v"]), meanwhile)
}

fn while_it_waits(site: &Site, mut command: Command, meanwhile: impl Fn()) -> Ran {
    let lock = fs::File::open(site.path().join("out/.app.state/lock")).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
    let mut waiting = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(waiting.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("waiting for another run to end")));
    kill_process(Pid::from_child(&waiting), Signal::STOP).unwrap();
    drop(lock);
    meanwhile();
    kill_process(Pid::from_child(&waiting), Signal::CONT).unwrap();
    let rest: Vec<_> = lines.map(Result::unwrap).collect();
    let mut ran = Ran::from(waiting.wait_with_output().unwrap());
    ran.stderr = rest.join("\n");
    ran
}

#[test]
fn a_run_that_waited_publishes_what_the_configuration_says_by_then() {
    let site = Site::with_secrets(&[("a", b"1"), ("b", b"2")]);
    site.config(&files("a = { source = \"local\", secret = \"a\" }"));
    site.sync();
    let ran = while_a_run_waits(&site, || {
        site.config(&files("b = { source = \"local\", secret = \"b\" }"));
        site.sync();
    });
    assert!(ran.status.success() && ran.stdout.starts_with("unchanged"), "{ran:?}");
    assert!(!site.link().join("a").exists());
    assert_eq!(site.read("b"), b"2");
}

#[test]
fn a_template_that_changes_while_a_run_waits_is_read_again() {
    let site = Site::new();
    fs::write(site.path().join("a.tmpl"), "old").unwrap();
    site.config(&files("a = { template = \"a.tmpl\" }"));
    site.sync();
    let ran = while_a_run_waits(&site, || {
        // As editors do it, so that the file is another one.
        fs::write(site.path().join("a.tmpl~"), "new").unwrap();
        fs::rename(site.path().join("a.tmpl~"), site.path().join("a.tmpl")).unwrap();
    });
    assert!(ran.status.success() && ran.stdout.starts_with("published"), "{ran:?}");
    assert_eq!(site.read("a"), b"new");
}

/// A pipe is read once: the template is read again, and the configuration is what it was.
#[test]
fn a_configuration_from_a_pipe_is_kept_while_its_run_waits() {
    let site = Site::new();
    let template = site.path().join("a.tmpl");
    fs::write(&template, "old").unwrap();
    let text = files(&format!("a = {{ template = {template:?} }}"));
    let text = text.replace("\"out/app\"", &format!("{:?}", site.link()));
    let text = text.replace("\"source\"", &format!("{:?}", site.path().join("source")));
    let piped = |options: &str| {
        let mut shell = Command::new("sh");
        let script = format!("cat piped.toml | \"$0\" {options} --config /dev/stdin");
        site.prepare(shell.args(["-c", &script, COMMAND]));
        shell
    };
    fs::write(site.path().join("piped.toml"), &text).unwrap();
    Ran::of(&mut piped("sync")).expect_exit(0);
    let (reader, mut writer) = std::io::pipe().unwrap();
    std::io::Write::write_all(&mut writer, text.as_bytes()).unwrap();
    drop(writer);
    let mut waits = site.command(&["sync", "-v", "--config", "/dev/stdin"]);
    waits.stdin(reader);
    let ran = while_it_waits(&site, waits, || fs::write(&template, "newer").unwrap());
    assert!(ran.status.success() && ran.stdout.starts_with("published"), "{ran:?}");
    assert_eq!(site.read("a"), b"newer");
    fs::write(site.path().join("piped.toml"), text + "\n[profiles.p.directory]\nretain = \"1s\"\n").unwrap();
    Ran::of(&mut piped("check --all-profiles")).expect_exit(0);
}

#[test]
fn a_configuration_that_leads_elsewhere_by_then_is_followed_there() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let ran = while_a_run_waits(&site, || site.config(&config.replace("out/app", "out/other")));
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(fs::read(site.path().join("out/other/a")).unwrap(), b"1");
}

#[test]
fn a_configuration_that_is_wrong_by_then_fails_the_run_and_changes_nothing() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let before = site.fingerprint();
    let ran = while_a_run_waits(&site, || site.config("files = 3"));
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    assert!(ran.stderr.contains("secretdir.toml:1:1: files: expected a table"), "{ran:?}");
    assert_eq!(site.fingerprint(), before);
}
