//! Why a text names no field, and why a field could not be picked.

use std::fmt;

/// Why a text names no field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldSyntaxError {
    /// It is empty.
    #[error("the field is empty; leave it out to get the whole secret")]
    Empty,
    /// A `~` in a JSON pointer is followed by neither `0` nor `1`.
    #[error("in a JSON pointer `~` must be followed by `0` or `1`: `~0` stands for `~`, `~1` for `/`")]
    BadEscape,
}

/// Why a field could not be picked. Never holds any part of the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The secret is not JSON.
    #[error("the secret is not JSON: {fault} at line {line}, column {column}")]
    NotJson {
        /// What kind of fault it is.
        fault: JsonFault,
        /// The line of the secret, counted from 1.
        line: usize,
        /// The column, counted in bytes.
        column: usize,
    },
    /// The secret is JSON, but has no keys at its top.
    #[error("the secret has no field `{0}`: it is JSON, but not an object")]
    NotAnObject(String),
    /// A JSON pointer leads through something that has no parts.
    #[error("the secret has no field `{field}`: {} is neither an object nor an array", place(.parent))]
    NotAContainer {
        /// The field asked for.
        field: String,
        /// The part of the pointer that leads to what has no parts; empty for the whole secret.
        parent: String,
    },
    /// The secret is JSON, but has no keys to make files of.
    #[error("the secret has no keys: it is JSON, but not an object")]
    NoKeys,
    /// A key of the secret has half of a surrogate pair in it.
    #[error("the secret has a key that is not Unicode: it has half of a surrogate pair")]
    KeyNotUnicode,
    /// A string of the secret has half of a surrogate pair in it.
    #[error("the secret has a string that is not Unicode: it has half of a surrogate pair")]
    NotUnicode,
    /// Arrays and objects are nested too deeply to be taken apart.
    #[error("the secret is nested more than 100 levels deep")]
    TooDeep,
    /// There is no such key or index.
    #[error("the secret has no field `{0}`")]
    Missing(String),
    /// There is no such key, but what it seems to mean is there, deeper down.
    #[error("the secret has no field `{field}`, but one below its top: write field = \"{pointer}\"")]
    Deeper {
        /// The field asked for.
        field: String,
        /// The JSON pointer that leads there.
        pointer: String,
    },
    /// The field is null.
    #[error("field `{0}` of the secret is null")]
    Null(String),
    /// The field is a string with half of a surrogate pair in it, which has no bytes.
    #[error("field `{0}` of the secret is not Unicode: it has half of a surrogate pair")]
    LoneSurrogate(String),
}

/// What keeps a secret from being JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonFault {
    /// Something stands where JSON allows something else.
    Syntax,
    /// The text ends early.
    EndsEarly,
    /// The bytes are not UTF-8.
    NotUtf8,
}

impl FieldError {
    /// Says whether the secret is as it should be, and just has no such field. What is there, deeper down, is not missing: then
    /// the configuration is wrong, and neither a default nor a file that is left out would tell.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing(_))
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "syntax error",
            Self::EndsEarly => "it ends early",
            Self::NotUtf8 => "it is not UTF-8",
        })
    }
}
fn place(parent: &str) -> String {
    if parent.is_empty() { "the secret".to_owned() } else { format!("`{parent}`") }
}
