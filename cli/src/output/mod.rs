//! All that the command prints. The rules:
//!
//! 1. Standard output is the result: text, or with `--json` exactly one JSON object, also when the command fails. Only an
//!    end by a signal leaves it empty. The program of `exec` has it for itself. Each object
//!    is serialised from a type that `schema --output` is made of, and begins as [`answer`] says. With `--quiet` there are
//!    no lines that only tell what has been done.
//! 2. Standard error is for people: `warning:`, `error:` and `hint:` messages in lower case, progress, traces.
//! 3. An error is one message, with each cause once; a hint is one of its own, once for all errors in a row that share it.
//! 4. A message is one line, for those who search: in a pipe, a file, a journal. On a terminal it is broken into lines that
//!    fit (less than 100 columns where the terminal does not say how wide it is), of which all but the first are indented by
//!    four spaces: a line that is not begins another message. A word that is longer stays whole, so that a path can be
//!    copied. After a mistake in the arguments come clap's own lines on how they should be.
//! 5. Colour is in the labels of messages alone, and only on a terminal that is not `dumb`, without NO_COLOR.
//! 6. Names from outside are escaped where they are put into a text, and all that is printed once more as a whole: no control
//!    character, nothing that reorders text or cannot be seen reaches a terminal, in JSON neither.
//! 7. No value of a secret, or part of one, anywhere.
//! 8. A result that nobody reads on (a closed pipe) is told. One that cannot be written (a full disk) is an error: a command
//!    that was for nothing else then ends with 1. `sync`, whose exit code tells what is published, and a command that has
//!    failed keep theirs. A message that cannot be written changes nothing: nobody is left to tell.

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
use stdout::Unprinted;

pub(crate) use fold::fold;
pub(crate) use message::Stderr;

/// Where results and messages go.
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

    /// Tells what a command has done, and returns how it ends.
    pub(crate) fn answer<S: Copy + Serialize, T: Serialize>(&self, answer: &Answer<S, T>) -> Exit {
        self.warn(&answer.warnings);
        self.stderr.tell(&answer.errors);
        let printed = match self.format {
            Format::Json => stdout::put_json(&answer.envelope()),
            Format::Text | Format::Quiet => self.put(&answer.text),
        };
        self.ended(printed, answer.exit(), answer.if_unwritten)
    }

    /// Returns how a command ends that failed: as the first error says.
    pub(crate) fn exit(&self, errors: &[ErrorReport]) -> Exit {
        errors.first().map_or(Exit::Unexpected, |error| self.failures.exit(error.kind))
    }

    /// Tells why a command failed, and returns how it ends.
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

    /// Prints the schema of all that `--json` prints.
    pub(crate) fn output_schema(&self) -> Exit {
        self.document(&schema::schema())
    }

    /// Prints a document that is JSON, whatever was asked for.
    pub(crate) fn document(&self, document: &Value) -> Exit {
        self.ended(stdout::put_json(document), Exit::Success, IfUnwritten::Fails)
    }

    fn warn(&self, warnings: &[WarningReport]) {
        warnings.iter().for_each(|warning| self.stderr.warn(&warning.message));
    }

    fn put(&self, text: &Text) -> Result<(), Unprinted> {
        match text {
            Text::Summary(_) if self.format == Format::Quiet => Ok(()),
            Text::Summary(lines) | Text::Listing(lines) => stdout::put(lines),
            Text::Script(script) => stdout::put_exactly(script),
        }
    }

    /// Returns how a command ends, be its result told or not.
    fn ended(&self, printed: Result<(), Unprinted>, exit: Exit, if_unwritten: IfUnwritten) -> Exit {
        let Err(untold) = printed else { return exit };
        self.stderr.untold(&untold);
        if if_unwritten == IfUnwritten::Fails { Exit::Unexpected } else { exit }
    }
}

/// Prints what is wrong with the arguments, or the help that was asked for.
///
/// Whoever wants JSON gets an object, as far as that can be told of arguments that cannot be read.
pub(crate) fn usage(error: &clap::Error, misread: Exit, format: Format, stderr: Stderr) -> Exit {
    if error.use_stderr() {
        stderr.usage(error);
        if format == Format::Json {
            let report = ErrorReport::from_message(ErrorKind::Usage, message::of_usage(error));
            if let Err(untold) = stdout::put_json(&Envelope::failed(misread, &[report], &[])) {
                stderr.untold(&untold);
            }
        }
        return misread;
    }
    match stdout::put(&error.render().to_string()) {
        Ok(()) => Exit::Success,
        Err(untold) => {
            stderr.untold(&untold);
            Exit::Unexpected
        }
    }
}
