//! The faults of a file that contains all secrets. None of them contains a value or a part of one. A key is not secret.

use std::path::Path;

use secretdir_provider::{SourceError, SourceErrorKind};

use crate::error::{self, FileFault, Location};
use crate::name::NameFault;

/// The hint for a name with a dot or a slash as a TOML key.
const QUOTES: &str = "in TOML a name with `/` or `.` needs quotes: \"a/b\"";

/// The reason why a file cannot be read as a store.
#[derive(Debug)]
pub(super) enum StoreFault {
    File(FileFault),
    Text(TextFault),
}

impl From<FileFault> for StoreFault {
    fn from(fault: FileFault) -> Self {
        Self::File(fault)
    }
}

impl From<TextFault> for StoreFault {
    fn from(fault: TextFault) -> Self {
        Self::Text(fault)
    }
}

impl StoreFault {
    /// Converts the fault into an error of the interface.
    pub(super) fn error(&self, path: &Path) -> SourceError {
        match self {
            Self::File(fault) => error::of_store(path, *fault),
            Self::Text(fault) => {
                let error = SourceError::new(SourceErrorKind::InvalidData);
                let error = error.with_cause(format!("{path:?}, {fault}"));
                match fault.mistake.hint() {
                    Some(hint) => error.with_hint(hint),
                    None => error,
                }
            }
        }
    }
}

/// A position in a text. Line and column count from 1, and the column counts bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Position {
    /// Returns the position of an offset.
    pub(super) fn in_bytes(text: &[u8], offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let newlines = before.iter().filter(|byte| **byte == b'\n').count();
        let in_line = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        Self { line: newlines + 1, column: in_line + 1 }
    }
}

/// A mistake in a text, and its position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {mistake}", .position.line, .position.column)]
pub(super) struct TextFault {
    mistake: Mistake,
    position: Position,
}

impl TextFault {
    pub(super) fn new(mistake: Mistake, position: Position) -> Self {
        Self { mistake, position }
    }
}

/// A mistake in a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Mistake {
    #[error("not UTF-8")]
    NotUtf8,
    #[error("a byte order mark, which some readers read as part of the first name")]
    ByteOrderMark,
    #[error("not valid TOML")]
    NotToml,
    #[error("not valid TOML: a key has this character only in quotes")]
    BareKey,
    #[error("not valid JSON")]
    NotJson,
    #[error("the JSON ends early")]
    EndsEarly,
    #[error("the JSON is not an object with names as keys")]
    NotAnObject,
    #[error("the key {0:?} occurs twice")]
    Duplicate(String),
    #[error("the key {key:?} occurs twice, first in line {first}")]
    DuplicateOfLine { key: String, first: usize },
    #[error("not KEY=VALUE, with no white space around the `=`")]
    NotAnAssignment,
    #[error("`+=`, which some shells read as an addition, and other readers as an error")]
    Append,
    #[error("a special character of shells, or of other readers, in a key")]
    SpecialInKey,
    #[error("a carriage return outside quotes")]
    CarriageReturn,
    #[error("a NUL character")]
    Nul,
    #[error("white space in a value outside quotes")]
    Blank,
    #[error("a value outside quotes that begins with `=`, as the end of a Base64 text does")]
    Padding,
    #[error("a special character of shells, or of other readers, outside quotes")]
    Special,
    #[error("a single quote in a value outside quotes")]
    SingleQuote,
    #[error("a double quote in a value outside quotes")]
    DoubleQuote,
    #[error("a `#` after an empty value, which some readers read as the value")]
    CommentAfterNothing,
    #[error("a tab before `#`, which some readers read as part of the value")]
    TabBeforeComment,
    #[error("a quote in a comment after several blanks, which some readers read as the quote of a value")]
    QuoteInComment,
    #[error("a blank or backslash at the end of the file, without a newline after it")]
    OpenEnd,
    #[error("the quotes that begin here are not closed")]
    Unclosed,
    #[error("a backslash before the closing quote, which some readers read as an escape")]
    BackslashAtEnd,
    #[error(r#"an escape other than \n, \r, \t, \\, \" and \$"#)]
    Escape,
    #[error("a `$` in double quotes, which a shell would substitute")]
    Substitution,
    #[error(
        "a backquote in double quotes: a shell needs a backslash before it, but some other readers keep the backslash"
    )]
    Backquote,
    #[error("something other than a comment after the closing quote")]
    AfterQuote,
}

impl Mistake {
    /// Returns a hint, if the message of the mistake is not enough.
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::ByteOrderMark => Some("save it as UTF-8 without one"),
            Self::BareKey => Some(
                "in TOML a name with `/` or `.` needs quotes, and `=` stands behind it: \"a/b\" = \"value\"",
            ),
            Self::Blank | Self::Special => Some("put the value into single quotes"),
            Self::NotAnAssignment => {
                Some("a value over several lines is put into quotes; for a file in TOML or JSON set `format`")
            }
            Self::NotToml => Some(
                "write `NAME = \"value\"`, with texts in quotes, or in `\"\"\"` over several lines; for JSON or an env file set `format`",
            ),
            Self::NotJson => Some("write {\"NAME\": \"value\"}; for TOML or an env file set `format`"),
            Self::Padding => Some(
                "if the value of the line before goes on here, put all of it into quotes; if not, put this one into quotes",
            ),
            Self::CarriageReturn => Some("save the file with Unix line ends"),
            Self::BackslashAtEnd => {
                Some(r"put the value into double quotes, and write `\\` for the backslash")
            }
            Self::Escape => Some(r"write `\\` for a backslash, or put the value into single quotes"),
            Self::Substitution => Some("put the value into single quotes, or a backslash before it"),
            Self::Backquote => {
                Some("put the value into single quotes; with a single quote in it, use TOML or JSON")
            }
            Self::AfterQuote => Some(
                "put the whole value into one pair of quotes, of the kind that is not in it; begin a comment with ` #`",
            ),
            Self::SingleQuote => Some("put the whole value into double quotes"),
            Self::DoubleQuote => Some("put the whole value into single quotes"),
            Self::Unclosed => Some(
                "end the value with the same quote; if the quote is a part of the value, put all of it into quotes of the other kind",
            ),
            Self::Append => Some("write the whole value after `=`"),
            Self::SpecialInKey => {
                Some("a key may have `/`, `.`, `-` and `_`, but no other such character; or use TOML or JSON")
            }
            Self::CommentAfterNothing => {
                Some("write `''` for an empty value, or put the comment on a line of its own")
            }
            Self::TabBeforeComment => Some("put a blank right before the `#`, or quotes around the value"),
            Self::QuoteInComment => Some("put one blank before the `#`, or the comment on a line of its own"),
            Self::OpenEnd => Some("end the file with a newline"),
            _ => None,
        }
    }
}

/// The reason why a value cannot be a secret, although the file is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ValueFault {
    #[error("is null")]
    Null,
    #[error("has half of a surrogate pair, which is not a character")]
    Surrogate,
    #[error("holds a number that JSON cannot have")]
    Number,
    #[error("cannot be separated from the text around it")]
    Misplaced,
}

impl ValueFault {
    /// Converts the fault into an error of the interface.
    pub(super) fn error(self, path: &Path, key: &str) -> SourceError {
        let error = SourceError::new(SourceErrorKind::InvalidData);
        let error = error.with_cause(format!("the value of {key:?} in {path:?} {self}"));
        match self {
            Self::Null => error.with_hint("remove the key, or give it a value; `\"\"` is an empty value"),
            Self::Number => {
                error.with_hint("in a table or array, write numbers in plain decimal, or as strings")
            }
            Self::Surrogate | Self::Misplaced => error,
        }
    }
}

/// Reports a missing key.
pub(super) fn no_such_key(path: &Path, key: &str) -> SourceError {
    let place = Location::At(path);
    SourceError::new(SourceErrorKind::NotFound).with_cause(format!("there is no key {key:?} in {place}"))
}

/// Reports a missing key that may exist as a key in a table.
pub(super) fn no_such_dotted_key(path: &Path, key: &str) -> SourceError {
    no_such_key(path, key).with_hint(QUOTES)
}

/// Reports a name that cannot be a key.
pub(super) fn bad_key(fault: NameFault) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidRequest).with_cause(format!("the name {fault}"))
}
