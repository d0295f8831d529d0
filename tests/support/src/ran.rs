//! How a process ended, and what it said.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;

/// A process that has ended.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error.
    pub stderr: String,
}

/// What every process is held to.
static CHECK: OnceLock<fn(&Ran)> = OnceLock::new();

impl Ran {
    /// Holds every process of this test suite to a rule, whichever test runs it and however. A suite has one rule.
    pub fn hold_all_to(check: fn(&Self)) {
        CHECK.get_or_init(|| check);
    }

    /// Runs a process to its end, with nothing to read.
    #[track_caller]
    pub fn of(command: &mut Command) -> Self {
        let program = command.get_program().to_owned();
        let output = command.stdin(Stdio::null()).output();
        output.unwrap_or_else(|error| panic!("{program:?}: {error}; tests/run installs it")).into()
    }

    /// Asserts that it ended with this code.
    #[track_caller]
    pub fn expect_exit(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "signal {:?}: {self:?}", self.status.signal());
        self
    }

    /// Asserts that standard error has all of these texts in it.
    #[track_caller]
    pub fn expect_error(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "no {text:?} in {}", self.stderr);
        }
        self
    }

    /// Returns standard output, read as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let ran = Self { status: output.status, stdout: text(&output.stdout), stderr: text(&output.stderr) };
        if let Some(check) = CHECK.get() {
            check(&ran);
        }
        ran
    }
}
