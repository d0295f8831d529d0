//! Errors about values of the wrong type. They use the words of a configuration, and never contain the value.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::error::SettingsProblem;
use super::path::{KeyPath, Segment};

/// An error whose path is still growing.
#[derive(Debug)]
pub(super) struct ReadError {
    path: KeyPath,
    message: String,
    origin: Origin,
}

/// The author of the message.
#[derive(Debug, PartialEq)]
enum Origin {
    /// This crate: it contains no value.
    Ours,
    /// The type that is being read: it may quote the value.
    Theirs,
}

impl ReadError {
    pub(super) fn ours(path: KeyPath, message: String) -> Self {
        Self { path, message, origin: Origin::Ours }
    }

    pub(super) fn under(self, segment: Segment) -> Self {
        Self { path: self.path.under(segment), ..self }
    }

    /// Replaces a message that quotes its value.
    pub(super) fn redacted(self, is_quoted_in: impl FnOnce(&str) -> bool) -> Self {
        if self.origin == Origin::Theirs && is_quoted_in(&self.message) {
            return Self::ours(self.path, "is not valid".to_owned());
        }
        Self { origin: Origin::Ours, ..self }
    }

    pub(super) fn into_problem(self) -> SettingsProblem {
        SettingsProblem::new(self.path, self.message)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: KeyPath::default(), message: message.to_string(), origin: Origin::Theirs }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let wanted = match (wanted(expected), found) {
            // Many people write a command as for a shell. Their text is not repeated here, because it may contain a secret.
            (wanted, Unexpected::Str(_)) if wanted == ARRAY => format!("{ARRAY} such as [\"one\", \"two\"]"),
            (wanted, _) => wanted,
        };
        Self::ours(KeyPath::default(), format!("expected {wanted}, found {}", kind(found)))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::ours(KeyPath::default(), format!("expected {}", wanted(expected)))
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::ours(KeyPath::default(), format!("expected {}", wanted(expected)))
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::ours(KeyPath::default(), format!("expected one of {}", quoted(known)))
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::ours(KeyPath::from(key), unknown_key(key, known))
    }

    fn missing_field(key: &'static str) -> Self {
        Self::ours(KeyPath::from(key), "missing".to_owned())
    }
}

/// The word for a sequence in a configuration.
const ARRAY: &str = "an array";

/// Names the expected type in the words of a configuration instead of those of Rust.
fn wanted(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    let range =
        |least: &dyn fmt::Display, most: &dyn fmt::Display| format!("a whole number from {least} to {most}");
    match text.as_str() {
        "a boolean" => "true or false".to_owned(),
        "a sequence" => ARRAY.to_owned(),
        "a map" => "a table".to_owned(),
        "u8" => range(&u8::MIN, &u8::MAX),
        "u16" => range(&u16::MIN, &u16::MAX),
        "u32" => range(&u32::MIN, &u32::MAX),
        "i8" => range(&i8::MIN, &i8::MAX),
        "i16" => range(&i16::MIN, &i16::MAX),
        "i32" => range(&i32::MIN, &i32::MAX),
        "u64" | "usize" => "a whole number, not negative".to_owned(),
        "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a nonzero u8" => range(&1, &u8::MAX),
        "a nonzero u16" => range(&1, &u16::MAX),
        "a nonzero u32" => range(&1, &u32::MAX),
        other if other.starts_with("a nonzero") => "a whole number of at least 1".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other => other.to_owned(),
    }
}

/// Names the type that was found, without its value.
fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
        Unexpected::Float(_) => "a fraction",
        Unexpected::Str(_) | Unexpected::Char(_) => "a string",
        Unexpected::Seq => "an array",
        Unexpected::Map => "a table",
        _ => "something else",
    }
}

pub(super) fn unknown_key(key: &str, known: &[&str]) -> String {
    match secretdir_helpers::nearest(key, known.iter().copied()) {
        Some(near) => format!("unknown key; did you mean `{near}`?"),
        None if known.is_empty() => "unknown key; there are none here".to_owned(),
        None => format!("unknown key; known here: {}", quoted(known)),
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
