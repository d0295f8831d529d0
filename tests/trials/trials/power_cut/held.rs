//! A publisher that is held after each of its system calls.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use secretdir_testkit::PATIENCE;
use secretdir_testkit::strace::{Call, is_noise};

/// No run makes more calls than this.
const MOST_CALLS: usize = 10_000;

const STOPPED: &str = "--- stopped by SIGSTOP ---";

/// A program under strace, which sends it a SIGSTOP with each call. It is delivered when the call is done, so that the
/// program stops there: nothing of it is undone, closed or unlocked, as a kill would.
pub(crate) struct Held {
    program: Child,
    lines: Receiver<String>,
    calls: Vec<Call>,
}

impl Held {
    /// Starts a program, in which strace does these things to calls besides: `syncfs:retval=0`.
    pub(crate) fn start(program: &str, arguments: &[String], faults: &[String]) -> Self {
        let mut command = Command::new("strace");
        // The program is our own child and strace is not, so that we can make it go on. Its standard output is the trace.
        command.args(["-D", "-s", "4096", "-o", "/proc/self/fd/1"]);
        // A call that is restarted would be stopped, and restarted, for ever.
        command.args(["-e", "inject=!restart_syscall:signal=SIGSTOP"]);
        for fault in faults {
            command.args(["-e", &format!("inject={fault}")]);
        }
        command.arg("--").arg(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let child = command.spawn();
        let mut program = child.unwrap_or_else(|error| panic!("strace: {error}; tests/run installs it"));
        let trace = BufReader::new(program.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        // Ends with the trace.
        thread::spawn(move || trace.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { program, lines, calls: Vec::new() }
    }

    /// Lets it go on to the end of the first call that strace begins to describe like this.
    pub(crate) fn skip_to(&mut self, text: &str) -> Call {
        loop {
            let call = self.next_call().unwrap_or_else(|| panic!("no {text:?}"));
            if call.line.starts_with(text) {
                return call;
            }
        }
    }

    /// Lets it go on to the end of its next call; `None` if it has ended instead.
    pub(crate) fn next_call(&mut self) -> Option<Call> {
        loop {
            let call = self.next_stop()?;
            if !is_noise(&call) {
                return Some(call);
            }
        }
    }

    fn next_stop(&mut self) -> Option<Call> {
        if !self.calls.is_empty() {
            kill_process(self.pid(), Signal::CONT).unwrap();
        }
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line == STOPPED => return self.calls.last().cloned(),
                Ok(line) => self.note(line),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => panic!("it hangs after {:?}", self.calls.last()),
            }
        }
    }

    fn note(&mut self, line: String) {
        let Some((name, _)) = line.split_once('(') else { return };
        assert!(self.calls.len() < MOST_CALLS, "it never ends: {line}");
        let nth = 1 + self.calls.iter().filter(|call| call.name == name).count();
        self.calls.push(Call { name: name.to_owned(), nth, line });
    }

    /// Says how it ended.
    pub(crate) fn ended(mut self) -> ExitStatus {
        self.program.wait().unwrap()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.program)
    }
}

impl Drop for Held {
    /// A trial that fails leaves no stopped program behind; of one that has ended this does nothing.
    fn drop(&mut self) {
        drop(self.program.kill());
        drop(self.program.wait());
    }
}
