//! The input of a template: names and their values.

use std::fmt;
use std::sync::Arc;

use crate::value::{Keys, Piece, Value};

/// A name that a template may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The name.
    pub name: String,
    /// What kind of value it has.
    pub shape: Shape,
}

impl Declared {
    /// Returns the value in a check.
    pub(crate) fn unknown(&self) -> Value {
        match self.shape {
            Shape::Text => Value::Text(Arc::new(vec![Piece::unknown()])),
            Shape::Structured => Value::Unknown,
        }
    }
}

/// What kind of value a name has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A text, or bytes that are not UTF-8. It has no parts.
    Text,
    /// A value with parts, or one that may have parts.
    Structured,
}

/// A value for a name.
#[derive(Clone)]
pub struct Given(pub(crate) Value);

impl fmt::Debug for Given {
    /// Shows only the type of the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Given").field(&self.0.describe()).finish()
    }
}

impl Given {
    /// Returns the value of a name without a value. Only `default`, `defined`, `undefined` and `if` accept it.
    pub fn undefined() -> Self {
        Self(Value::Undefined)
    }

    /// Returns a text if the bytes are UTF-8, otherwise bytes.
    pub fn bytes(bytes: &[u8]) -> Self {
        Self(Value::of_secret(bytes))
    }

    /// Returns `none`.
    pub fn null() -> Self {
        Self(Value::None)
    }

    /// Returns a boolean.
    pub fn boolean(value: bool) -> Self {
        Self(Value::Bool(value))
    }

    /// Returns a number in the syntax of JSON. It is printed with the same digits.
    pub fn number(written: &str) -> Self {
        Self(Value::Number(written.into()))
    }

    /// Returns a list.
    pub fn list(items: Vec<Self>) -> Self {
        Self(Value::list(items.into_iter().map(|item| item.0).collect()))
    }

    /// Returns a map in this order. If a key occurs twice, the last value counts. No error shows a key, which may be a part of a secret.
    pub fn map(entries: Vec<(String, Self)>) -> Self {
        Self::of_entries(entries, Keys::Values)
    }

    /// Returns a map whose keys are names of secrets. Errors may show them.
    pub fn names(entries: Vec<(String, Self)>) -> Self {
        Self::of_entries(entries, Keys::Names)
    }

    fn of_entries(entries: Vec<(String, Self)>, keys: Keys) -> Self {
        Self(Value::map(entries.into_iter().map(|(key, value)| (key.into(), value.0)), keys))
    }
}
