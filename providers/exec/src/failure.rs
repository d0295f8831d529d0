//! Why a process gave no answer. All requests that it leaves without one get this error.

use std::borrow::Cow;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use secretdir_provider::{RunContext, SourceError, SourceErrorKind};

use crate::advice::{self, NotStarted};
use crate::output::ReadFault;
use crate::settings::{Setup, StandardError};

/// How long before the deadline a process must end, so that it can be killed and its last output read.
const MARGIN: Duration = Duration::from_millis(250);

const RAISE_GATHER: &str = "raise `timeout` under [gather] if the program is only slow";

/// The hint for a command that printed nothing.
const ALLOW_EMPTY: &str = "if the value may be empty, set `allow-empty = true` in the source";

const STDERR_DROPPED: &str = "`stderr = \"drop\"` hides its message: run it by hand";

/// Returns the error for a listing. Commands and plug-ins are asked for secrets by their names, and cannot list.
pub(crate) fn cannot_list() -> SourceError {
    SourceError::new(SourceErrorKind::Unsupported)
        .with_cause("this provider cannot list secrets")
        .with_hint("map each under [files], or keep them all in one JSON secret and import its keys")
}

/// Why a process gave no answer. It holds no value: output of the process is redacted by [`redact`](crate::redact) first.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    kind: SourceErrorKind,
    cause: String,
    hint: Option<Cow<'static, str>>,
}

/// The time limit of a process, and the setting that it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) time: Duration,
    hint: &'static str,
}

impl Limit {
    /// Returns the shorter of the source's time-out and the time left in the run. Returns `None` if no time is left: no
    /// program is started then.
    pub(crate) fn of(setup: &Setup, run: &RunContext) -> Option<Self> {
        let left = run.remaining().saturating_sub(MARGIN);
        if left.is_zero() {
            return None;
        }
        if left < setup.timeout {
            return Some(Self { time: left, hint: RAISE_GATHER });
        }
        Some(Self { time: setup.timeout, hint: "raise `timeout` of the source if the program is only slow" })
    }
}

impl Failure {
    fn new(kind: SourceErrorKind, cause: String) -> Self {
        Self { kind, cause, hint: None }
    }

    pub(crate) fn start(program: &str, error: &io::Error, setup: &Setup) -> Self {
        let NotStarted { kind, cause, hint } = advice::not_started(program, error, setup);
        Self { kind, cause, hint: Some(hint.into()) }
    }

    /// Returns the failure of a run whose time was up before the program could start.
    pub(crate) fn no_time(program: &str) -> Self {
        let cause = format!("no time was left to start `{program}`");
        Self { kind: SourceErrorKind::TimedOut, cause, hint: Some(RAISE_GATHER.into()) }
    }

    pub(crate) fn timed_out(program: &str, limit: Limit) -> Self {
        // Milliseconds are exact enough for a person.
        let time = Duration::from_millis(limit.time.as_millis().try_into().unwrap_or(u64::MAX));
        let time = humantime::format_duration(time);
        let cause = format!("`{program}` did not end within {time}, and was killed");
        Self { kind: SourceErrorKind::TimedOut, cause, hint: Some(limit.hint.into()) }
    }

    pub(crate) fn ended(program: &str, status: ExitStatus) -> Self {
        Self::new(SourceErrorKind::Other, format!("`{program}` failed: {status}"))
    }

    /// Returns the failure of a command that succeeded but printed nothing.
    pub(crate) fn nothing(program: &str) -> Self {
        Self {
            kind: SourceErrorKind::InvalidData,
            cause: format!("`{program}` printed nothing"),
            hint: Some(ALLOW_EMPTY.into()),
        }
    }

    /// Returns the failure of a command that reports, with the exit status in the settings, that there is no such secret.
    pub(crate) fn not_found(program: &str, status: ExitStatus) -> Self {
        Self::new(SourceErrorKind::NotFound, format!("`{program}` ended with {status}"))
    }

    pub(crate) fn unread(program: &str, fault: &ReadFault) -> Self {
        match fault {
            ReadFault::TooMuch(_) => Self::too_much(program, fault),
            ReadFault::Io(error) => Self::lost(program, error),
        }
    }

    fn too_much(program: &str, fault: &ReadFault) -> Self {
        let cause = format!("`{program}` wrote {fault}");
        Self {
            kind: SourceErrorKind::InvalidData,
            cause,
            hint: Some("raise `max-bytes` if that is intended".into()),
        }
    }

    /// Returns the failure of reading from the process, or of waiting for it.
    pub(crate) fn lost(program: &str, error: &io::Error) -> Self {
        Self::new(SourceErrorKind::Other, format!("lost contact with `{program}`: {error}"))
    }

    pub(crate) fn protocol(program: &str, line: usize, fault: &str) -> Self {
        let cause = format!("`{program}` breaks the protocol: line {line} of its output {fault}");
        Self {
            kind: SourceErrorKind::InvalidData,
            cause,
            hint: Some("the plug-in has a bug, or the program is not a plug-in".into()),
        }
    }

    pub(crate) fn unanswered(program: &str, status: Option<ExitStatus>) -> Self {
        match status {
            Some(status) if !status.success() => Self::ended(program, status),
            _ => Self::new(
                SourceErrorKind::InvalidData,
                format!("`{program}` ended without an answer to this request"),
            ),
        }
    }

    /// Adds the standard error of the process, which must have been redacted.
    pub(crate) fn with_noise(mut self, noise: &str) -> Self {
        if !noise.is_empty() {
            self.cause = format!("{}; standard error: {noise}", self.cause);
        }
        self
    }

    /// Adds a hint about a program that has failed, if there is one.
    pub(crate) fn with_advice(mut self, program: &str, noise: &str, setup: &Setup) -> Self {
        let is_open = self.hint.as_deref().is_none_or(|hint| hint == ALLOW_EMPTY);
        let missing_variable_hint = if self.kind == SourceErrorKind::Other {
            advice::missing_variable_hint
        } else {
            advice::reported_missing_hint
        };
        if is_open && let Some(advice) = missing_variable_hint(noise, setup) {
            self.hint = Some(advice.into());
        }
        if self.hint.is_none() && self.kind == SourceErrorKind::Other {
            self.hint = advice::failed(program, setup).map(Cow::Borrowed);
            if self.hint.is_none() && setup.stderr == StandardError::Drop {
                self.hint = Some(STDERR_DROPPED.into());
            }
        }
        self
    }

    pub(crate) fn error(&self) -> SourceError {
        let error = SourceError::new(self.kind).with_cause(self.cause.as_str());
        match &self.hint {
            Some(hint) => error.with_hint(hint.as_ref()),
            None => error,
        }
    }
}
