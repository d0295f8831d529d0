//! All output of the command. The rules:
//!
//! 1. Standard output is the result: text, or with `--json` exactly one JSON object, even if the command fails. It
//!    stays empty only if a signal ends the command. With `exec`, it belongs to the program. Each object is serialised
//!    from a type that `schema --output` is made of, and begins as [`answer`] says. `--quiet` leaves out lines that
//!    only report what was done.
//! 2. Standard error is for people: `warning:`, `error:` and `hint:` messages in lower case, progress, traces.
//! 3. An error is one message, and names each cause once. A hint is a message of its own. Consecutive errors with the
//!    same hint share it.
//! 4. In a pipe, a file or a journal, a message is one line, so that it can be searched. On a terminal it is wrapped to
//!    fit, or to fewer than 100 columns if the width is unknown. All lines but the first are indented by four spaces,
//!    so a line without indent begins another message. A longer word stays whole, so that a path can be copied. After
//!    wrong arguments, clap's own lines about the correct usage follow.
//! 5. Only the labels of messages are coloured, and only on a terminal that is not `dumb`, without NO_COLOR.
//! 6. Names from outside are escaped where they are put into a text, and the whole output is escaped again. So no
//!    control character, and no character that is invisible or reorders text, reaches a terminal, even in JSON.
//! 7. No output contains the value of a secret, or a part of one.
//! 8. It is no error if the reader closes the pipe early. It is an error if the result cannot be written, for example
//!    to a full disk. A command whose only purpose is the result then ends with 1. `sync` and failed commands keep
//!    their exit code. A message that cannot be written changes nothing, because there is no other place to report it.

pub(crate) mod answer;
pub(crate) mod check;
mod fold;
mod message;
pub(crate) mod providers;
pub(crate) mod run;
mod schema;
pub(crate) mod status;
pub(crate) mod stdout;
pub(crate) mod written;

use secretdir_engine::{ErrorKind, ErrorReport, WarningReport};
use serde::Serialize;
use serde_json::Value;

use crate::Exit;
use crate::args::Format;
use crate::exit::Failures;
use answer::{Answer, Envelope, IfUnwritten, Text};
use stdout::OutputError;

pub(crate) use fold::fold;
pub(crate) use message::Stderr;

/// The output of a command: the destination of results and messages.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    stderr: Stderr,
    failures: Failures,
}

impl Output {
    pub(crate) fn new(format: Format, stderr: Stderr, failures: Failures) -> Self {
        Self { format, stderr, failures }
    }

    /// Prints the answer of a command, and returns its exit code.
    pub(crate) fn answer<S: Copy + Serialize, T: Serialize>(&self, answer: &Answer<S, T>) -> Exit {
        self.warn(&answer.warnings);
        self.stderr.tell(&answer.errors);
        let printed = match self.format {
            Format::Json => stdout::put_json(&answer.envelope()),
            Format::Text | Format::Quiet => self.put(&answer.text),
        };
        self.ended(printed, answer.exit(), answer.if_unwritten)
    }

    /// Returns the exit code of a command that failed: that of the first error.
    pub(crate) fn exit(&self, errors: &[ErrorReport]) -> Exit {
        errors.first().map_or(Exit::Unexpected, |error| self.failures.exit(error.kind))
    }

    /// Prints why a command failed, and returns its exit code.
    pub(crate) fn failed(&self, errors: &[ErrorReport], warnings: &[WarningReport]) -> Exit {
        let exit = self.exit(errors);
        self.warn(warnings);
        self.stderr.tell(errors);
        let printed = match self.format {
            Format::Json => stdout::put_json(&Envelope::failed(exit, errors, warnings)),
            Format::Text | Format::Quiet => Ok(()),
        };
        self.ended(printed, exit, IfUnwritten::EndsAsEver)
    }

    /// Prints the schema of the output of `--json`.
    pub(crate) fn output_schema(&self) -> Exit {
        self.document(&schema::schema())
    }

    /// Prints a document that is JSON in every output format.
    pub(crate) fn document(&self, document: &Value) -> Exit {
        self.ended(stdout::put_json(document), Exit::Success, IfUnwritten::Fails)
    }

    fn warn(&self, warnings: &[WarningReport]) {
        warnings.iter().for_each(|warning| self.stderr.warn(&warning.message));
    }

    fn put(&self, text: &Text) -> Result<(), OutputError> {
        match text {
            Text::Summary(_) if self.format == Format::Quiet => Ok(()),
            Text::Summary(lines) | Text::Listing(lines) => stdout::put(lines),
            Text::Script(script) => stdout::put_exactly(script),
        }
    }

    /// Returns the exit code of a command after its result was printed, or could not be.
    fn ended(&self, printed: Result<(), OutputError>, exit: Exit, if_unwritten: IfUnwritten) -> Exit {
        let Err(error) = printed else { return exit };
        self.stderr.report_unprinted(&error);
        if if_unwritten == IfUnwritten::Fails { Exit::Unexpected } else { exit }
    }
}

/// Prints the errors of wrong arguments, or the help that was asked for.
///
/// With `--json`, an object is printed as well, as far as the option can be recognised in wrong arguments.
pub(crate) fn usage(error: &clap::Error, misread: Exit, format: Format, stderr: Stderr) -> Exit {
    if error.use_stderr() {
        stderr.usage(error);
        if format == Format::Json {
            let report = ErrorReport::from_message(ErrorKind::Usage, message::of_usage(error));
            if let Err(error) = stdout::put_json(&Envelope::failed(misread, &[report], &[])) {
                stderr.report_unprinted(&error);
            }
        }
        return misread;
    }
    match stdout::put(&error.render().to_string()) {
        Ok(()) => Exit::Success,
        Err(error) => {
            stderr.report_unprinted(&error);
            Exit::Unexpected
        }
    }
}
