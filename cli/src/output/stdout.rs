//! Standard output: what a command was asked for.

use std::io::{self, ErrorKind, Write};

use secretdir_engine::{escape, escape_json};
use serde::Serialize;

/// Why a result has not been told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unprinted {
    #[error("standard output cannot be written")]
    NotWritten(#[source] io::Error),
    #[error("the result cannot be written as JSON")]
    NotJson(#[source] serde_json::Error),
}

/// Writes lines. Whatever else would steer a terminal is escaped: this is the last look at names from outside, which are
/// escaped already where they are put into a line.
pub(crate) fn put(text: &str) -> Result<(), Unprinted> {
    let lines: Vec<_> = text.split('\n').map(escape).collect();
    put_exactly(&lines.join("\n"))
}

/// Writes a value as JSON.
pub(crate) fn put_json(value: &impl Serialize) -> Result<(), Unprinted> {
    let json = serde_json::to_string_pretty(value).map_err(Unprinted::NotJson)?;
    put_exactly(&escape_json(&json))
}

/// Writes a text of our own as it is, and the end of its last line if that is missing. Whoever has closed the pipe has
/// read enough.
pub(crate) fn put_exactly(text: &str) -> Result<(), Unprinted> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(format!("{text}{end}").as_bytes()).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Unprinted::NotWritten(error)),
        _ => Ok(()),
    }
}
