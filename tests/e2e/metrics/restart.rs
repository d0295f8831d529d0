//! What the metrics of `[on-change]` say when a daemon begins, moves or ends: counters begin at zero, gauges say what is.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;

use super::sample;
use crate::support::Site;
use crate::watch::{Watch, eventually, site};

const FAILURES: &str = "secretdir_on_change_failures_total";
const PENDING: &str = "secretdir_on_change_pending";
const FAILED: &str = "result=\"failed\"";

/// A daemon with metrics, and their file.
struct Measured {
    watch: Watch,
    file: PathBuf,
}

impl Measured {
    /// Starts it. What is in the file is of this process.
    fn start(site: &Site) -> Self {
        let file = site.path().join("m.prom");
        let _ = fs::remove_file(&file);
        let watch = Watch::of(site.command(&["watch", "--metrics"]).arg(&file));
        let measured = Self { watch, file };
        eventually("metrics", || !measured.read().is_empty());
        measured
    }

    fn read(&self) -> String {
        fs::read_to_string(&self.file).unwrap_or_default()
    }

    fn of(&self, name: &str) -> f64 {
        let text = self.read();
        let name = text.lines().find(|line| line.contains(name) && line.contains("} ")).unwrap_or(name);
        sample(&text, name.split("} ").next().unwrap())
    }

    fn all(&self) -> [f64; 3] {
        [FAILURES, PENDING, FAILED].map(|name| self.of(name))
    }

    /// Asks for a turn, and waits for these numbers of failures of the command, of pending commands, and of failed turns.
    fn ask(&self, expected: [f64; 3]) {
        self.watch.signal(Signal::USR1);
        eventually(&format!("{expected:?}"), || self.all() == expected);
    }

    fn stop(self) -> String {
        self.watch.stop();
        fs::read_to_string(self.file).unwrap()
    }
}

fn command(site: &Site, from: &str, to: &str) {
    let path = site.path().join("secretdir.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn after_a_restart_failures_are_counted_anew_and_a_command_that_has_failed_is_pending_at_once() {
    let site = site("1h", "wake = false\n[on-change]\ncommand = [\"false\"]");
    let first = Measured::start(&site);
    eventually("the first failure", || first.all() == [1.0, 1.0, 1.0]);
    first.stop();

    let second = Measured::start(&site);
    assert_eq!(second.all(), [0.0, 1.0, 0.0]);
    assert_eq!(second.of("secretdir_last_success_timestamp_seconds"), 0.0);
    // It is repeated at once for the first time, and then put off, which is a failed turn and not a failed command.
    second.ask([1.0, 1.0, 1.0]);
    second.ask([1.0, 1.0, 2.0]);
    second.stop();

    // The pause goes on after a restart.
    let third = Measured::start(&site);
    assert_eq!(third.all(), [0.0, 1.0, 0.0]);
    third.ask([0.0, 1.0, 1.0]);
    command(&site, "\"false\"", "\"true\"");
    third.ask([0.0, 0.0, 1.0]);
    assert!(third.of("secretdir_last_success_timestamp_seconds") > 1e9);
    third.stop();

    let fourth = Measured::start(&site);
    assert_eq!(fourth.all(), [0.0, 0.0, 0.0]);
    fourth.stop();
}

#[test]
fn a_command_that_is_stopped_with_the_daemon_is_pending_in_what_the_daemon_leaves() {
    let sleeps = "wake = false\n[on-change]\ncommand = [\"sh\", \"-c\", \"touch begun; exec sleep 600\"]\ntimeout = \"1h\"";
    let site = site("1h", sleeps);
    let daemon = Measured::start(&site);
    eventually("the command", || site.path().join("begun").exists());
    // To another run that has to leave it alone, it is pending as well.
    site.run(&["sync", "--metrics", "other.prom"]).expect_exit(0).expect_error(&["another run is still"]);
    let other = fs::read_to_string(site.path().join("other.prom")).unwrap();
    assert_eq!(sample(&other, PENDING), 1.0);
    let left = daemon.stop();
    assert_eq!((sample(&left, PENDING), sample(&left, FAILURES)), (1.0, 0.0));
    assert_eq!(sample(&left, "secretdir_files"), 1.0);
    assert!(sample(&left, "secretdir_last_change_timestamp_seconds") > 1e9);
    let again = Measured::start(&site);
    assert_eq!(again.all(), [0.0, 1.0, 0.0]);
    again.stop();
}

#[test]
fn another_link_does_not_begin_with_what_is_pending_for_the_old_one() {
    let site = site("1h", "wake = false\n[on-change]\ncommand = [\"false\"]");
    let daemon = Measured::start(&site);
    eventually("the first failure", || daemon.all() == [1.0, 1.0, 1.0]);
    // Nothing is published at the new link until the source is there.
    fs::rename(site.path().join("source"), site.path().join("gone")).unwrap();
    command(&site, "out/app", "out/other");
    daemon.watch.signal(Signal::HUP);
    let moved = || daemon.read().contains("out/other") && daemon.of(FAILED) == 2.0;
    eventually("the failure of the new link", moved);
    assert_eq!(daemon.of(PENDING), 0.0);
    daemon.stop();
}
