//! Standard output: the result of a command.

use std::io::{self, ErrorKind, Write};

use secretdir_engine::{escape, escape_json};
use serde::Serialize;

/// The reason why a result was not printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    #[error("standard output cannot be written")]
    NotWritten(#[source] io::Error),
    #[error("the result cannot be written as JSON")]
    NotJson(#[source] serde_json::Error),
}

/// Writes lines. Other characters that would control a terminal are escaped. This is the last line of defence, because
/// names from outside are already escaped when they are put into a line.
pub(crate) fn put(text: &str) -> Result<(), OutputError> {
    let lines: Vec<_> = text.split('\n').map(escape).collect();
    put_exactly(&lines.join("\n"))
}

/// Writes a value as JSON.
pub(crate) fn put_json(value: &impl Serialize) -> Result<(), OutputError> {
    let json = serde_json::to_string_pretty(value).map_err(OutputError::NotJson)?;
    put_exactly(&escape_json(&json))
}

/// Writes a text of this project unchanged, and ends its last line if needed. If the reader has closed the pipe, it has
/// read enough.
pub(crate) fn put_exactly(text: &str) -> Result<(), OutputError> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(format!("{text}{end}").as_bytes()).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(OutputError::NotWritten(error)),
        _ => Ok(()),
    }
}
