#![doc = include_str!("../README.md")]
//!
//! # Two halves
//!
//! [`Format::write`] escapes a text for a reader, the program that reads the file. It fails if no quotes can preserve
//! the text. [`Readers`] follow the file that contains the value.
//!
//! A written value must stand alone: not inside other quotes, not in a comment, and not beside other text of the same
//! word. Pass every piece of the file to the readers. They report each value that is [`Misplaced`].
//!
//! # What is guaranteed
//!
//! A reader gets the file character by character, so it guesses nothing. Some texts are read differently by different
//! programs, or can be understood only with the rest of the file. After such a text, everything is
//! [`Misplaced::Unclear`]. The property test of the templates runs the accepted files with sh, bash and zsh.
//!
//! The readers do not follow what a program does with the value afterwards.

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

/// The kind of program that reads the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// `docker run --env-file`, which has no quotes.
    Docker,
    /// An env file: a POSIX shell that sources it, systemd's `EnvironmentFile=`, Docker Compose, and libraries.
    Dotenv,
    /// JSON, and YAML, which contains JSON.
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

    /// Returns the name of the format.
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

    /// Escapes a text so that the reader gets it back unchanged.
    ///
    /// # Errors
    ///
    /// The reader cannot represent such a text.
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

/// The reason why a value must not stand at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Misplaced {
    /// The value is inside quotes of the text around it.
    InsideQuotes,
    /// The value is in a comment, which a line end in the value would end.
    InComment,
    /// The value is in a here-document of a shell, where quotes are text.
    InHeredoc,
    /// The value is in an open backquote, arithmetic, expansion or subscript of a shell, which reads quotes
    /// differently.
    InExpansion,
    /// Text stands directly before the value.
    AfterText,
    /// Text stands directly after the value.
    BeforeText,
    /// The text before the value cannot be the name of a variable.
    Nameless,
    /// Programs read the text before the value differently.
    Unclear,
}

/// The byte order mark, which is no part of a text that begins with it.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Stands for unknown text, and for a value that was written for the reader. It is a part of any word.
const UNKNOWN: char = '\u{fffc}';
