//! Turns have a thread of their own: the daemon hears of signals and moments while a disk takes its time, and none is left between
//! two turns.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use super::*;

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

    /// The daemon itself: strace passes no signal on.
    fn id(&self) -> Pid {
        let id = self.calls().split_whitespace().next().unwrap().parse().unwrap();
        Pid::from_raw(id).unwrap()
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
    let site = site("1h", "");
    let mut traced = Traced::of(&site, &[], &[]);
    traced.watch.hear("published 1 file");
    let calls = || traced.calls().lines().count();
    // It has come to rest when its last call is the wait.
    eventually("rest", || {
        traced.calls().trim_end().ends_with("epoll_wait(3,") || {
            let before = calls();
            std::thread::sleep(Duration::from_millis(500));
            calls() == before
        }
    });
    let before = calls();
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(calls(), before, "{}", traced.calls());
    kill_process(traced.id(), Signal::TERM).unwrap();
    traced.watch.child.wait().unwrap();
}

#[test]
fn a_disk_that_hangs_keeps_it_from_no_signal_and_no_moment() {
    let site = site("1h", "");
    let manager = listen(site.path());
    // Longer than anything here waits: whoever waits for this disk fails.
    let hang = ["-e", "trace=all", "-e", "inject=syncfs:delay_enter=600000000"];
    let socket = site.path().join("notify");
    let variables = [("NOTIFY_SOCKET", socket.to_str().unwrap()), ("WATCHDOG_USEC", "200000")];
    let mut traced = Traced::of(&site, &hang, &variables);
    eventually("the disk hangs", || traced.calls().contains("syncfs("));
    for _ in 0..5 {
        hear(&manager, "WATCHDOG=1");
    }
    kill_process(traced.id(), Signal::HUP).unwrap();
    hear(&manager, "RELOADING=1");
    kill_process(traced.id(), Signal::TERM).unwrap();
    hear(&manager, "STOPPING=1");
    // strace would end with its delay.
    eventually("the end", || traced.calls().contains("exit_group(0)"));
    traced.watch.child.kill().unwrap();
    traced.watch.child.wait().unwrap();
    // What is left is of no harm: the next run removes it.
    assert!(!site.link().exists());
    site.run(&["sync"]).expect_exit(0);
    let left = fs::read_dir(site.link().parent().unwrap()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains(".tmp-")
    });
    assert_eq!(left.count(), 0);
}
