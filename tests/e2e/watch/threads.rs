//! Turns have a thread of their own: the daemon hears of signals and moments while a disk takes its time, and none is left between
//! two turns.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use super::*;

/// A disk that takes longer than anything here waits: whoever waits for it fails.
const HANG: [&str; 4] = ["-e", "trace=all", "-e", "inject=syncfs:delay_enter=600000000"];

/// A daemon under strace, which writes down what it calls.
struct Traced {
    watch: Watch,
    log: PathBuf,
}

impl Traced {
    fn of(site: &Site, options: &[&str], variables: &[(&str, &str)]) -> Self {
        let log = site.path().join("calls");
        let mut command = Command::new("strace");
        command.args(["-f", "-o"]).arg(&log).args(options).arg(crate::support::COMMAND).arg("watch");
        site.prepare(&mut command);
        command.envs(variables.iter().copied());
        Self { watch: Watch::of(&mut command), log }
    }

    fn calls(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends a signal to the daemon itself: strace passes none on.
    fn signal(&self, signal: Signal) {
        let id = self.calls().split_whitespace().next().unwrap().parse().unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Waits until it has ended. strace itself would end with its delay.
    fn end(mut self) {
        eventually("the end", || self.calls().contains("exit_group(0)"));
        self.watch.child.kill().unwrap();
        self.watch.child.wait().unwrap();
    }
}

fn listen(site: &Path) -> UnixDatagram {
    let manager = UnixDatagram::bind(site.join("notify")).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    manager
}

fn hear(manager: &UnixDatagram, words: &str) {
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&buffer).contains(words) {
        buffer.fill(0);
        manager.recv(&mut buffer).unwrap_or_else(|error| panic!("no {words}: {error}"));
    }
}

#[test]
fn between_two_turns_nothing_is_called() {
    // Its moment is hardly ever within the minute.
    let site = site("30d", "");
    let mut traced = Traced::of(&site, &[], &[]);
    traced.watch.hear("published 1 file");
    let calls = || traced.calls().lines().count();
    // The thread of the turn may still be ending, on a busy machine.
    eventually("rest", || {
        let before = calls();
        std::thread::sleep(Duration::from_secs(3));
        calls() == before
    });
    let before = calls();
    std::thread::sleep(Duration::from_secs(60));
    assert_eq!(calls(), before, "{}", traced.calls());
    traced.signal(Signal::TERM);
    traced.end();
}

#[test]
fn a_disk_that_hangs_keeps_it_from_no_signal_and_no_moment() {
    let site = site("1h", "");
    let manager = listen(site.path());
    let socket = site.path().join("notify");
    let variables = [("NOTIFY_SOCKET", socket.to_str().unwrap()), ("WATCHDOG_USEC", "200000")];
    let traced = Traced::of(&site, &HANG, &variables);
    eventually("the disk hangs", || traced.calls().contains("syncfs("));
    for _ in 0..5 {
        hear(&manager, "WATCHDOG=1");
    }
    traced.signal(Signal::HUP);
    hear(&manager, "RELOADING=1");
    traced.signal(Signal::TERM);
    hear(&manager, "STOPPING=1");
    traced.end();
    // What is left is of no harm: the next run removes it.
    assert!(!site.link().exists());
    site.run(&["sync"]).expect_exit(0);
    let left = fs::read_dir(site.link().parent().unwrap()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains(".tmp-")
    });
    assert_eq!(left.count(), 0);
}

#[test]
fn a_set_becomes_stale_while_a_turn_hangs() {
    let site = site("1h", "max-stale = \"10s\"\nwake = false");
    site.run(&["sync"]).expect_exit(0);
    site.secret("a", "2");
    let mut traced = Traced::of(&site, &HANG, &[]);
    traced.watch.hear("keeping ");
    traced.signal(Signal::USR1);
    eventually("the disk hangs", || traced.calls().contains("syncfs("));
    traced.watch.hear("error: stale: ");
    traced.signal(Signal::TERM);
    traced.end();
}

#[test]
fn where_there_is_no_thread_the_loop_makes_the_turn() {
    let site = site("1h", "");
    let mut traced = Traced::of(&site, &["-e", "inject=clone3,clone:error=EAGAIN"], &[]);
    traced.watch.hear("published 1 file");
    site.secret("a", "2");
    traced.watch.hear("published 1 file");
    traced.signal(Signal::TERM);
    traced.end();
}

#[test]
fn a_command_is_not_begun_once_the_daemon_is_to_end() {
    let site = site("1h", "[on-change]\ncommand = [\"sh\", \"-c\", \"echo >> told\"]");
    let slow = ["-e", "trace=all", "-e", "inject=syncfs:delay_enter=700000"];
    let traced = Traced::of(&site, &slow, &[]);
    eventually("the disk is slow", || traced.calls().contains("syncfs("));
    traced.signal(Signal::TERM);
    eventually("the end", || traced.calls().contains("exit_group(0)"));
    let calls = traced.calls();
    traced.end();
    assert!(!calls.contains("\"echo >> told\""), "{calls}");
    // Published or not: the next run tells.
    site.run(&["sync"]).expect_exit(0);
    assert_eq!(fs::read_to_string(site.path().join("told")).unwrap().lines().count(), 1);
}

#[test]
fn a_turn_that_ends_while_the_daemon_stops_is_told() {
    let site = site("1h", "[on-change]\ncommand = [\"sh\", \"-c\", \"echo >> told; sleep 1\"]");
    let watch = Watch::start(&site);
    eventually("the command", || site.path().join("told").exists());
    let lines = watch.stop();
    assert!(lines.iter().any(|line| line.contains("published 1 file")), "{lines:#?}");
    assert_eq!(site.run(&["status", "--json"]).json()["generation"]["on_change"], "succeeded");
}
