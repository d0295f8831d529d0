#![doc = include_str!("../README.md")]
//!
//! # Two halves
//!
//! [`Format::write`] writes a text for a reader, or refuses what no quotes keep. [`Readers`] follow the file that it is written into.
//! What is written must stand alone: not inside other quotes, not in a comment, and not beside other text of the same word. Whoever
//! prints a file tells the readers of each piece, and is told what is [`Misplaced`].
//!
//! # What is guaranteed
//!
//! A reader is told what the file is, character by character, so nothing about it is guessed. Where programs disagree about a text,
//! or where it takes the rest of the file to understand it, everything behind it is [`Misplaced::Unclear`]. The property test of the
//! templates runs what is accepted with sh, bash and zsh.
//!
//! Not followed: what a program does with the value afterwards.

mod docker;
mod heredoc;
mod name;
mod readers;
mod reading;
mod shell;
mod systemd;
mod toml;
mod write;
mod yaml;

pub use readers::{Finding, Readers};
pub use write::{QuoteError, json, url};

/// Who reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// `docker run --env-file`, which knows no quotes.
    Docker,
    /// An env file: a POSIX shell that sources it, systemd's `EnvironmentFile=`, Docker Compose, and libraries.
    Dotenv,
    /// JSON, and YAML, which contains it.
    Json,
    /// A script of a POSIX shell.
    Shell,
    /// TOML 1.0.
    Toml,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Docker, Self::Dotenv, Self::Json, Self::Shell, Self::Toml];

    /// Returns the format of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Returns the name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Dotenv => "dotenv",
            Self::Json => "json",
            Self::Shell => "shell",
            Self::Toml => "toml",
        }
    }

    /// Says whether the file has variables, each with a name before its value.
    pub fn has_variables(self) -> bool {
        matches!(self, Self::Docker | Self::Dotenv | Self::Shell)
    }

    /// Writes a text so that the reader gets it back unchanged.
    ///
    /// # Errors
    ///
    /// The reader cannot have such a text.
    pub fn write(self, text: &str) -> Result<String, QuoteError> {
        match self {
            Self::Docker => write::docker(text),
            Self::Dotenv => write::dotenv(text),
            Self::Json => Ok(json(text)),
            Self::Shell => write::shell(text),
            Self::Toml => Ok(write::toml(text)),
        }
    }
}

/// What is wrong with a place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Misplaced {
    /// Quotes are open that somebody else has written.
    InsideQuotes,
    /// A line end in the value would end the comment.
    InComment,
    /// In a here-document of a shell quotes are text.
    InHeredoc,
    /// A backquote, arithmetic, an expansion or a subscript of a shell is open, which reads quotes in its own way.
    InExpansion,
    /// Text stands directly before it.
    AfterText,
    /// Text stands directly behind it.
    BeforeText,
    /// What stands before it cannot be the name of a variable.
    Nameless,
    /// Programs disagree about the text before.
    Unclear,
}

/// It is no part of a text that begins with it.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Stands for text that is not known, or that was written for the reader: a part of any word.
const UNKNOWN: char = '\u{fffc}';
