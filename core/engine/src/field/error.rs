//! The errors of parsing and of picking a field.

use std::fmt;

/// The reason why a text is not a valid field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldSyntaxError {
    /// The text is empty.
    #[error("the field is empty; omit it to get the whole secret")]
    Empty,
    /// A `~` in a JSON pointer is followed by neither `0` nor `1`.
    #[error("in a JSON pointer `~` must be followed by `0` or `1`: `~0` stands for `~`, `~1` for `/`")]
    BadEscape,
}

/// The reason why a field could not be picked. It contains no part of the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The secret is not JSON.
    #[error("the secret is not JSON: {fault} at line {line}, column {column}")]
    NotJson {
        /// The kind of fault.
        fault: JsonFault,
        /// The line of the secret, counted from 1.
        line: usize,
        /// The column, counted in bytes.
        column: usize,
    },
    /// The secret is JSON, but not an object.
    #[error("the secret has no field `{0}`: it is JSON, but not an object")]
    NotAnObject(String),
    /// A JSON pointer leads through a value that has no parts.
    #[error("the secret has no field `{field}`: {} is neither an object nor an array", place(.parent))]
    NotAContainer {
        /// The requested field.
        field: String,
        /// The part of the pointer that leads to the value without parts. It is empty for the whole secret.
        parent: String,
    },
    /// The secret is JSON, but has no keys that could become files.
    #[error("the secret has no keys: it is JSON, but not an object")]
    NoKeys,
    /// A key of the secret contains half of a surrogate pair.
    #[error("the secret has a key that is not Unicode: it has half of a surrogate pair")]
    KeyNotUnicode,
    /// A string of the secret contains half of a surrogate pair.
    #[error("the secret has a string that is not Unicode: it has half of a surrogate pair")]
    NotUnicode,
    /// Arrays and objects are nested too deeply.
    #[error("the secret is nested more than 100 levels deep")]
    TooDeep,
    /// There is no such key or index.
    #[error("the secret has no field `{0}`")]
    Missing(String),
    /// There is no such key, but it looks like a path to a field that exists deeper down.
    #[error("the secret has no field `{field}`, but one below its top: write field = \"{pointer}\"")]
    Deeper {
        /// The requested field.
        field: String,
        /// The JSON pointer to that field.
        pointer: String,
    },
    /// The field is null.
    #[error("field `{0}` of the secret is null")]
    Null(String),
    /// The field is a string that contains half of a surrogate pair, which has no bytes.
    #[error("field `{0}` of the secret is not Unicode: it has half of a surrogate pair")]
    LoneSurrogate(String),
}

/// The reason why a secret is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonFault {
    /// The text breaks the grammar of JSON.
    Syntax,
    /// The text ends early.
    EndsEarly,
    /// The bytes are not UTF-8.
    NotUtf8,
}

impl FieldError {
    /// Returns whether the secret is well-formed and just lacks the field. A field that exists deeper down is not missing.
    /// The configuration is wrong then, and a default or an omitted file would hide that.
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
