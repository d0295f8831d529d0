//! The messages for people on standard error.

use std::io::{IsTerminal, Write};
use std::panic::Location;

use anstyle::{AnsiColor, Style};
use rustix::termios::tcgetwinsize;
use secretdir_engine::{ErrorKind, ErrorReport, escape};

use super::fold::{self, TOO_WIDE};
use super::stdout::OutputError;

/// The indent of all lines of a message but the first.
const INDENT: &str = "    ";

/// The first word of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    Error,
    Warning,
    Hint,
    Panic,
}

impl Label {
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error:",
            Self::Warning => "warning:",
            Self::Hint => "hint:",
            Self::Panic => "panic:",
        }
    }

    fn style(self) -> Style {
        let colour = match self {
            Self::Error | Self::Panic => AnsiColor::Red,
            Self::Warning => AnsiColor::Yellow,
            Self::Hint => AnsiColor::Cyan,
        };
        colour.on_default().bold()
    }
}

/// Whether labels are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colours {
    Labels,
    None,
}

/// Whether messages are wrapped into lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Folding {
    /// Lines have fewer than this many columns.
    Below(usize),
    /// Each message is one line, for programs that search lines: in a pipe, a file or a journal.
    None,
}

/// Standard error, and the style of its messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stderr {
    colours: Colours,
    folding: Folding,
}

impl Stderr {
    /// Finds out once whether standard error is a terminal, its width, and whether to use colours.
    pub(crate) fn look() -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let is_terminal = std::io::stderr().is_terminal();
        let coloured = is_terminal && !is_dumb && !is_set("NO_COLOR");
        Self {
            colours: if coloured { Colours::Labels } else { Colours::None },
            folding: if is_terminal { Folding::Below(width()) } else { Folding::None },
        }
    }

    /// Prints errors. Consecutive errors with the same hint share it: it is printed once, after the last of them.
    pub(super) fn tell(self, errors: &[ErrorReport]) {
        for alike in errors.chunk_by(|one, next| one.hint == next.hint) {
            for error in alike {
                self.say(Label::Error, &error.message);
            }
            if let Some(hint) = alike.first().and_then(|error| error.hint.as_ref()) {
                self.say(Label::Hint, hint);
            }
        }
    }

    /// Reports why a result was not printed.
    pub(crate) fn report_unprinted(self, why: &OutputError) {
        self.tell(&[ErrorReport::new(ErrorKind::NotWritten, why)]);
    }

    pub(super) fn warn(self, warning: &str) {
        self.say(Label::Warning, warning);
    }

    /// Reports a panic and its position. The message is left out, because it could contain a value.
    pub(crate) fn panicked(self, place: Option<&Location<'_>>) {
        let place = place.map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        self.say(
            Label::Panic,
            &format!("at {place}; its message is not shown, because it could contain a value"),
        );
    }

    /// Reports wrong arguments: an error, and clap's lines about the correct usage.
    pub(crate) fn usage(self, error: &clap::Error) {
        for line in error.render().to_string().lines() {
            match line.strip_prefix(Label::Error.word()) {
                Some(message) => self.say(Label::Error, message.trim_start()),
                None => put(&self.folding.apply(&escape(line))),
            }
        }
    }

    fn say(self, label: Label, text: &str) {
        put(&self.written(label, text));
    }

    /// Returns a message as it is printed.
    fn written(self, label: Label, text: &str) -> String {
        let word = label.word();
        let message = self.folding.apply(&escape(&format!("{word} {text}")));
        match message.strip_prefix(word) {
            Some(rest) if self.colours == Colours::Labels => format!("{0}{word}{0:#}{rest}", label.style()),
            _ => message,
        }
    }
}

impl Folding {
    fn apply(self, text: &str) -> String {
        match self {
            Self::Below(width) => fold::fold_below(width, text, INDENT),
            Self::None => text.to_owned(),
        }
    }
}

/// Returns the width of the terminal, or the default width if it is unknown.
fn width() -> usize {
    let columns = tcgetwinsize(std::io::stderr()).map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { TOO_WIDE } else { columns }
}

/// Returns the error of wrong arguments in one line.
pub(super) fn of_usage(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    escape(first.strip_prefix(Label::Error.word()).unwrap_or(first).trim_start()).into_owned()
}

fn put(text: &str) {
    // If this fails, there is no other place to report it.
    let _ = writeln!(std::io::stderr(), "{text}");
}
