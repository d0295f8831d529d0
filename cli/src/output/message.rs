//! Messages: what people are told on standard error.

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::panic::Location;

use anstyle::{AnsiColor, Style};
use secretdir_engine::{describe, escape};
use serde::Serialize;

use super::fold;
use super::stdout::Untold;

/// What the lines of a message but its first begin with.
const INDENT: &str = "    ";

/// An error as it is told, and perhaps what a person can do about it.
#[derive(Debug, Serialize)]
pub(super) struct Message {
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
}

impl Message {
    pub(super) fn new(error: &dyn Error, hint: Option<&str>) -> Self {
        Self { message: describe(error), hint: hint.map(str::to_owned) }
    }
}

/// What a message begins with.
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

/// Standard error, and what may be written to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stderr {
    colours: Colours,
}

impl Stderr {
    /// Looks once whether standard error is a terminal that shows colours, and whether its user wants them.
    pub(crate) fn look() -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let coloured = std::io::stderr().is_terminal() && !is_dumb && !is_set("NO_COLOR");
        Self { colours: if coloured { Colours::Labels } else { Colours::None } }
    }

    /// Tells errors, and a hint that several in a row share once after the last of them.
    pub(super) fn tell(self, messages: &[Message]) {
        for alike in messages.chunk_by(|one, next| one.hint == next.hint) {
            for message in alike {
                self.say(Label::Error, &message.message);
            }
            if let Some(hint) = alike.first().and_then(|message| message.hint.as_ref()) {
                self.say(Label::Hint, hint);
            }
        }
    }

    /// Says why a result has not been told.
    pub(crate) fn untold(self, why: &Untold) {
        self.tell(&[Message::new(why, None)]);
    }

    pub(super) fn warn(self, warning: &str) {
        self.say(Label::Warning, warning);
    }

    /// Says that something panicked, and where. Not with which message, which could hold a value.
    pub(crate) fn panicked(self, place: Option<&Location<'_>>) {
        let place = place.map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        self.say(Label::Panic, &format!("at {place}; its message is withheld, as it could hold a value"));
    }

    /// Says what is wrong with the arguments: an error, and lines on how they should be.
    pub(crate) fn usage(self, error: &clap::Error) {
        for line in error.render().to_string().lines() {
            match line.strip_prefix(Label::Error.word()) {
                Some(message) => self.say(Label::Error, message.trim_start()),
                None => put(&fold(&escape(line), INDENT)),
            }
        }
    }

    fn say(self, label: Label, text: &str) {
        put(&written(label, text, self.colours));
    }
}

/// Returns a message as it is written.
fn written(label: Label, text: &str, colours: Colours) -> String {
    let word = label.word();
    let message = fold(&escape(&format!("{word} {text}")), INDENT);
    match message.strip_prefix(word) {
        Some(rest) if colours == Colours::Labels => format!("{0}{word}{0:#}{rest}", label.style()),
        _ => message,
    }
}

fn put(text: &str) {
    // Nobody is left to tell if this cannot be written.
    let _ = writeln!(std::io::stderr(), "{text}");
}
