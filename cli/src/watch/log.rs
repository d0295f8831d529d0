//! The log of a daemon, on standard error.
//!
//! Under systemd, a line begins with its priority (`<3>`, see `sd-daemon(3)`). It has no time, because the journal adds
//! one. Elsewhere it begins with the time in UTC. As JSON it is one object. An error's line has the fields of the
//! error.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::time::SystemTime;

use secretdir_engine::{ErrorReport, escape, escape_json};
use serde::Serialize;

use crate::args::{LogFormat, Verbosity};

/// The severity of a line, with the numbers of syslog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Level {
    Error = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
}

/// The log, and its format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    format: LogFormat,
    is_journal: bool,
    /// The least severe level that is written.
    least: Level,
}

/// A line as JSON: its time, its severity and its content.
#[derive(Serialize)]
struct Line<T> {
    time: String,
    level: Level,
    #[serde(flatten)]
    told: T,
}

/// The content of a line that is no error.
#[derive(Serialize)]
struct Message<'l> {
    message: &'l str,
}

impl Log {
    /// Begins a log. With `--quiet` it has only warnings and errors.
    pub(crate) fn new(format: LogFormat, verbosity: Verbosity) -> Self {
        let least = if verbosity == Verbosity::Quiet { Level::Warning } else { Level::Info };
        Self { format, is_journal: is_journal(), least }
    }

    /// Says whether each line is a JSON object.
    pub(crate) fn is_json(self) -> bool {
        self.format == LogFormat::Json
    }

    pub(crate) fn warn(self, message: &str, date: SystemTime) {
        self.say(Level::Warning, message, date);
    }

    pub(super) fn say(self, level: Level, message: &str, date: SystemTime) {
        self.put(level, message, None, date);
    }

    /// Writes an error and its hint.
    pub(crate) fn error(self, error: &ErrorReport, date: SystemTime) {
        let hint = error.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        self.put(Level::Error, &format!("{}{hint}", error.message), Some(error), date);
    }

    fn put(self, level: Level, message: &str, error: Option<&ErrorReport>, date: SystemTime) {
        if level > self.least {
            return;
        }
        let message = message.replace('\n', "; ");
        let time = humantime::format_rfc3339_seconds(date).to_string();
        let line = match self.format {
            LogFormat::Json => {
                let line = match error {
                    Some(error) => serde_json::to_string(&Line { time, level, told: error }),
                    None => serde_json::to_string(&Line { time, level, told: Message { message: &message } }),
                };
                escape_json(&line.unwrap_or_default()).into_owned()
            }
            LogFormat::Text if self.is_journal => format!("<{}>{}", level as u8, escape(&message)),
            LogFormat::Text => format!("{time} {}: {}", word(level), escape(&message)),
        };
        // If this fails, there is no other place to report it.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
        Level::Info => "info",
    }
}

/// Says whether standard error is the journal. systemd passes the device and inode numbers of the journal's stream.
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let stderr = std::fs::metadata("/proc/self/fd/2");
    stderr.is_ok_and(|stderr| format!("{}:{}", stderr.dev(), stderr.ino()) == stream)
}
