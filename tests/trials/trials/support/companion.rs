//! A `publisher` that stays until its standard input ends, or until it is killed.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::PUBLISHER;

/// A process that never outlives the test: its input ends with it.
#[derive(Debug)]
pub(crate) struct Companion {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Companion {
    /// Starts it, in a process that is prepared by a closure.
    pub(crate) fn start(arguments: &[&str], prepare: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(PUBLISHER);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        prepare(&mut command);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, said }
    }

    /// Returns the next line that it says.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        self.said.next().unwrap_or_else(|| panic!("it has ended: {:?}", self.child.wait())).unwrap()
    }

    /// Ends its input.
    pub(crate) fn end_input(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Ends its input, and waits until it has ended well.
    #[track_caller]
    pub(crate) fn finish(mut self) {
        self.end_input();
        // What it still says is read, so that it does not wait for that.
        self.said.by_ref().for_each(|line| drop(line.unwrap()));
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }

    /// Sends SIGKILL, and waits for the end.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        // It has ended, unless the test has failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
