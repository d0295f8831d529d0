//! A publisher that stands still between two of its system calls, for as long as it takes to change the ground under it.

use std::fs;
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use secretdir_testkit::PATIENCE;
use secretdir_testkit::strace::{Call, Trace};

use crate::support::PUBLISHER;

/// The folder is a stranger's, so a run must be told to trust its parents.
const TRUSTED: (&str, &str) = ("PUBLISHER_PARENTS", "trusted");

const POLL: Duration = Duration::from_millis(1);

/// Returns the calls of a run with which it looks at names of ours in the folder, or changes them: between the others
/// nothing can be changed that it relies on.
pub(super) fn windows(link: &Path, set: u32) -> Vec<Call> {
    let trace = Trace::of(PUBLISHER, &arguments(link, set), |command| {
        command.env(TRUSTED.0, TRUSTED.1);
    });
    assert_eq!(trace.ran.status.code(), Some(0), "{:?}", trace.ran);
    let of_ours = |call: &Call| call.line.contains("\".app.") || call.line.contains("\"app\"");
    trace.calls.into_iter().filter(of_ours).collect()
}

fn arguments(link: &Path, set: u32) -> [String; 5] {
    let link = link.to_str().unwrap().to_owned();
    ["sync".to_owned(), link, set.to_string(), "0".to_owned(), "none".to_owned()]
}

/// A run that has stopped.
pub(super) struct Stopped {
    child: Child,
    stderr: fs::File,
}

impl Stopped {
    /// Starts a run, and returns once it stands still after this call.
    pub(super) fn after(call: &Call, link: &Path, set: u32) -> Self {
        let stderr = tempfile::tempfile().unwrap();
        let mut command = Command::new("strace");
        // As a child of the run, so that the run is a child of this process, which is told of its stopping.
        command.args(["-D", "-o", "/dev/null", "-e", &format!("trace={}", call.name)]);
        command.args(["-e", &format!("inject={}", call.fault("signal=SIGSTOP")), "--", PUBLISHER]);
        command.env(TRUSTED.0, TRUSTED.1);
        command.args(arguments(link, set)).stdin(Stdio::null()).stderr(stderr.try_clone().unwrap());
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("strace: {error}; tests/run installs it"));
        let stopped = Self { child, stderr };
        stopped.wait_for_stop(call);
        stopped
    }

    fn wait_for_stop(&self, call: &Call) {
        let pid = Pid::from_child(&self.child);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = waitpid(Some(pid), WaitOptions::UNTRACED | WaitOptions::NOHANG).unwrap();
            match found {
                Some((_, status)) if status.stopped() => return,
                Some((_, status)) => panic!("{call:?} did not come: {status:?}"),
                None => assert!(Instant::now() < deadline, "{call:?}: the run neither stops nor ends"),
            }
            sleep(POLL);
        }
    }

    /// Lets the run go on, and returns how it ends and what it says.
    pub(super) fn finish(mut self) -> (ExitStatus, String) {
        kill_process(Pid::from_child(&self.child), Signal::CONT).unwrap();
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "the run does not end");
            sleep(POLL);
        };
        let mut text = String::new();
        self.stderr.rewind().unwrap();
        self.stderr.read_to_string(&mut text).unwrap();
        (status, text)
    }
}

impl Drop for Stopped {
    /// Ends a run that an assertion has given up on.
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
