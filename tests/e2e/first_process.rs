//! The command as the first process of a container, whom the kernel sends no signal that it does not catch.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{COMMAND, Site, assert_ends, is_root};
use crate::watch::eventually;

/// The kernel drops the signals that the first process of a container does not catch: none may get lost, from before the
/// configuration is read.
#[test]
fn the_first_process_of_a_container_ends_by_a_signal_at_any_time() {
    if !is_root("the_first_process_of_a_container_ends_by_a_signal_at_any_time") {
        return;
    }
    for (signal, name) in [(Signal::TERM, "TERM"), (Signal::INT, "INT"), (Signal::HUP, "HUP")] {
        for command in ["sync", "watch", "status", "check"] {
            let site = Site::new();
            let pipe = site.path().join("config");
            mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
            let mut first = FirstProcess::start(&site, &[command, "--config", pipe.to_str().unwrap()]);
            // It reads the configuration once the other end can be opened.
            let _writer = opened_once_read(&pipe);
            let code = if command == "watch" { 0 } else { 128 + signal.as_raw() };
            first.end(signal, code, &format!("{command} {name} early"));
        }
    }
    let site = Site::new();
    secretdir_testkit::write_program(&site.path().join("slow"), "#!/bin/sh\n: >begun\nexec sleep 60\n");
    site.config(
        "[directory]\npath = \"out/app\"\n[sources.slow]\nprovider = \"exec\"\ncommand = [\"./slow\", \"{secret}\"]\n\
         [files]\na = { source = \"slow\", secret = \"a\" }\n",
    );
    for (command, code) in [("sync", 128 + Signal::TERM.as_raw()), ("watch", 0)] {
        drop(fs::remove_file(site.path().join("begun")));
        let mut first = FirstProcess::start(&site, &[command]);
        eventually("asked", || site.path().join("begun").exists());
        first.end(Signal::TERM, code, command);
    }
}

/// The command as the first process of a namespace of its own, and `unshare` around it.
struct FirstProcess {
    unshare: Child,
    pid: Pid,
}

impl FirstProcess {
    fn start(site: &Site, arguments: &[&str]) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc", COMMAND]).args(arguments);
        site.prepare(&mut command);
        let unshare = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let children = format!("/proc/{0}/task/{0}/children", unshare.id());
        let child = || fs::read_to_string(&children).unwrap().trim().parse().ok().and_then(Pid::from_raw);
        eventually("started", || child().is_some_and(is_the_command));
        let pid = child().unwrap();
        Self { unshare, pid }
    }

    fn end(&mut self, signal: Signal, code: i32, what: &str) {
        kill_process(self.pid, signal).unwrap();
        assert_ends(&self.unshare.id().to_string());
        let ended = self.unshare.wait().unwrap();
        assert_eq!(ended.code(), Some(code), "{what}");
    }
}

fn is_the_command(pid: Pid) -> bool {
    fs::read_link(format!("/proc/{}/exe", pid.as_raw_nonzero()))
        .is_ok_and(|exe| exe == fs::canonicalize(COMMAND).unwrap())
}

/// Opens a pipe for writing, as soon as somebody reads from it.
fn opened_once_read(pipe: &Path) -> File {
    let open = || rustix::fs::open(pipe, OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty());
    let mut opened = open();
    eventually("read", || {
        opened = open();
        opened.is_ok()
    });
    File::from(opened.unwrap())
}
