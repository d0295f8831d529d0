//! How a process ended, and what it said.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Output, Stdio};

/// A process that has ended.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error, with each message of ours in one line: a break, where it was folded, is a space
    /// again.
    pub stderr: String,
}

impl Ran {
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
        Self { status: output.status, stdout: text(&output.stdout), stderr: unfolded(&text(&output.stderr)) }
    }
}

/// Takes back how the command breaks its messages: their lines go on under four spaces.
fn unfolded(stderr: &str) -> String {
    let mut all = String::new();
    let mut is_message = false;
    for line in stderr.split_inclusive('\n') {
        let more = line.strip_prefix("    ").filter(|more| is_message && !more.starts_with(' '));
        if let Some(more) = more {
            all.truncate(all.trim_end_matches('\n').len());
            all.push(' ');
            all.push_str(more);
        } else {
            is_message =
                ["error:", "warning:", "hint:", "panic:"].iter().any(|label| line.starts_with(label));
            all.push_str(line);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_again_and_the_rest_is_as_it_was() {
        let stderr = "x\n    y\nerror: a\n    b\n    c\nhint: d\n  e\n    f\n";
        assert_eq!(unfolded(stderr), "x\n    y\nerror: a b c\nhint: d\n  e\n    f\n");
    }
}
