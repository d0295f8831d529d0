//! Ctrl-C at any moment leaves no staging.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use secretdir_testkit::strace::{Trace, is_noise};

use crate::support::{COMMAND, Call, HEAD, PATIENCE, Ran, Site, assert_ends, inject, trace};

const SECRETS: &[(&str, &[u8])] = &[("a", b"1"), ("d/b", b"2"), ("d/e/c", b"3")];

const SIGNALS: [(&str, i32); 4] = [("SIGINT", 2), ("SIGTERM", 15), ("SIGHUP", 1), ("SIGQUIT", 3)];

#[test]
fn an_interrupt_at_any_call_leaves_all_or_nothing_and_no_staging() {
    for (signal, number) in SIGNALS {
        let reference = trace(&Site::with_secrets(SECRETS), &["sync"], &[]);
        let points = points(&reference);
        let staging = staging(&points);
        assert!(staging.len() > 10, "{staging:#?}");
        for point in &points {
            let site = Site::with_secrets(SECRETS);
            let ran = inject(&site, &["sync"], &[point.fault(&format!("signal={signal}"))]);
            let published = [".app.gen", "app", "state/lock", "state/made", "state/note"];
            let names = site.names();
            assert!(
                names.is_empty() || names == ["state/lock"] || names == published,
                "{point:?}: {names:?} {ran:?}"
            );
            if names != published {
                assert_eq!(ran.status.signal(), Some(number), "{point:?}: {ran:?}");
            }
            // A file or two after the signal the run must have stopped.
            assert!(!staging.contains(point) || names == ["state/lock"], "{point:?}: {names:?} {ran:?}");
        }
    }
}

/// Returns the calls that every run makes from the opening of the state directory on: an allocation may call the system once
/// and not the next time.
fn points(trace: &Trace) -> Vec<Call> {
    trace.since(".app.state").iter().filter(|call| !is_noise(call)).cloned().collect()
}

/// Returns the calls that fill the staging, up to the making of the last secret's file. The note comes after it.
fn staging(calls: &[Call]) -> &[Call] {
    let first = calls.iter().position(|call| call.name == "symlinkat").unwrap();
    let note =
        calls.iter().position(|call| call.line.contains("\"note-") && call.line.contains("O_CREAT")).unwrap();
    let last = calls[..note].iter().rposition(|call| call.line.contains("O_CREAT")).unwrap();
    &calls[first..last]
}

#[test]
fn an_interrupt_in_an_update_keeps_the_old_set() {
    let make = || {
        let site = Site::with_secrets(SECRETS);
        site.sync();
        site.secret("a", "new");
        site
    };
    let reference = trace(&make(), &["sync"], &[]);
    for point in staging(&points(&reference)) {
        let site = make();
        let before = site.fingerprint().without_folder();
        let ran = inject(&site, &["sync"], &[point.fault("signal=SIGTERM")]);
        assert_eq!(ran.status.signal(), Some(15), "{point:?}: {ran:?}");
        assert_eq!(site.fingerprint().without_folder(), before, "{point:?}");
        assert_eq!(site.names(), [".app.gen", "app", "state/lock", "state/made", "state/note"], "{point:?}");
    }
}

#[test]
fn an_interrupt_while_the_command_runs_ends_the_command_and_the_next_run_repeats_it() {
    let site = Site::new();
    site.secret("a", "1");
    site.config(&format!(
        "{HEAD}\n[on-change]\ncommand = [\"sh\", \"hook\"]\n\n[files]\n\"a\" = {{ source = \"local\", secret = \"a\" }}\n"
    ));
    fs::write(site.path().join("hook"), "echo $$ > id; echo started >&2; sleep 600").unwrap();
    let mut run =
        site.command(&["sync", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "started"));
    kill_process(Pid::from_child(&run), Signal::TERM).unwrap();
    let told = lines.map(Result::unwrap).collect::<Vec<_>>().join("\n");
    assert!(told.contains("error: the new set is published, but a signal ended the run"), "{told}");
    let ran = Ran::from(run.wait_with_output().unwrap());
    assert_eq!(ran.status.signal(), Some(15));
    assert_eq!(ran.json()["errors"][0]["kind"], "on-change-failed");
    let id = fs::read_to_string(site.path().join("id")).unwrap();
    assert_ends(id.trim());
    assert_eq!(site.run(&["status", "--json"]).json()["generation"]["on_change"], "pending");

    fs::write(site.path().join("hook"), "echo again > told").unwrap();
    assert!(site.sync().stdout.starts_with("unchanged"));
    assert_eq!(fs::read_to_string(site.path().join("told")).unwrap(), "again\n");
}

#[test]
fn an_interrupt_while_templates_are_rendered_is_heeded_between_two_of_them() {
    let site = Site::new();
    site.secret("a", "1");
    // Each is ended by its limit of steps. All of them would take far longer than is waited for.
    let slow = "{{ a }}{% for a in range(99999) %}{% for b in range(8) %}{% endfor %}{% endfor %}";
    let secrets = "secrets.a = { source = \"local\", secret = \"a\" }";
    let entries: String = (0..8000)
        .map(|number| format!("f{number} = {{ template-text = \"{slow}\", {secrets} }}\n"))
        .collect();
    site.config(&format!("{HEAD}\n[files]\n{entries}"));
    let mut run =
        site.command(&["sync", "-v"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("fetched 1 secret from `local`")));
    kill_process(Pid::from_child(&run), Signal::TERM).unwrap();
    let start = Instant::now();
    assert_eq!(Ran::from(run.wait_with_output().unwrap()).status.signal(), Some(15));
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    assert!(!site.link().exists());
}

#[test]
fn what_has_nothing_to_clean_up_ends_at_once() {
    let site = Site::new();
    let fifo = site.path().join("fifo.toml");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let run = site.command(&["check", "--config", "fifo.toml"]).spawn().unwrap();
    // Opening it for writing waits until the run has opened it for reading.
    let _held = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    kill_process(Pid::from_child(&run), Signal::INT).unwrap();
    assert_eq!(Ran::from(run.wait_with_output().unwrap()).status.signal(), Some(2));
}

/// Starts a run whose command waits, with these signals ignored, and returns it once the command has started, with the
/// command's process ID.
fn in_command(site: &Site, ignored: &str) -> (std::process::Child, String) {
    site.secret("a", "1");
    site.config(&format!(
        "{HEAD}\n[on-change]\ncommand = [\"sh\", \"hook\"]\n\n[files]\n\"a\" = {{ source = \"local\", secret = \"a\" }}\n"
    ));
    let hook = "echo $$ > id; echo started >&2; read line < fifo";
    fs::write(site.path().join("hook"), hook).unwrap();
    let fifo = site.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let mut shell = std::process::Command::new("sh");
    site.prepare(shell.args(["-c", &format!("trap '' {ignored}; exec \"$0\" sync"), COMMAND]));
    let mut run = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "started"));
    let id = fs::read_to_string(site.path().join("id")).unwrap().trim().to_owned();
    (run, id)
}

#[test]
fn a_hangup_ends_the_command_and_the_run() {
    let site = Site::new();
    let (run, id) = in_command(&site, "USR1");
    kill_process(Pid::from_child(&run), Signal::HUP).unwrap();
    assert_eq!(Ran::from(run.wait_with_output().unwrap()).status.signal(), Some(1));
    assert_ends(&id);
    assert_eq!(site.run(&["status", "--json"]).json()["generation"]["on_change"], "pending");
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let site = Site::new();
    let (run, _) = in_command(&site, "HUP INT");
    for signal in [Signal::HUP, Signal::INT] {
        kill_process(Pid::from_child(&run), signal).unwrap();
    }
    // The command ends once somebody has written: the signals were there before.
    fs::write(site.path().join("fifo"), "go on\n").unwrap();
    Ran::from(run.wait_with_output().unwrap()).expect_exit(0);

    let site = Site::new();
    let (run, id) = in_command(&site, "HUP INT");
    kill_process(Pid::from_child(&run), Signal::TERM).unwrap();
    assert_eq!(Ran::from(run.wait_with_output().unwrap()).status.signal(), Some(15));
    assert_ends(&id);
}
