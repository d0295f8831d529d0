//! What a template is given: names, and a value for each.

use std::fmt;

use zeroize::Zeroizing;

use crate::value::{List, Map, Value};

/// A name that a template may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The name.
    pub name: String,
    /// What kind of value it has.
    pub shape: Shape,
}

/// What kind of value a name has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A text, or bytes that are not UTF-8. It has no parts.
    Text,
    /// A value with parts, or one that may have parts.
    Structured,
}

/// A value for a name. Texts are wiped when the last copy is dropped.
#[derive(Clone)]
pub struct Given(pub(crate) Value);

/// Lists and maps are nested more than 100 levels deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is nested more than 100 levels deep")]
pub struct TooDeep;

impl fmt::Debug for Given {
    /// Shows what kind of value it is, and nothing of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Given").field(&self.0.describe()).finish()
    }
}

impl Given {
    /// Returns what a name has that has no value: only `default`, `defined`, `undefined` and `if` take it.
    pub fn undefined() -> Self {
        Self(Value::Undefined)
    }

    /// Returns a text if the bytes are UTF-8, bytes otherwise.
    pub fn bytes(bytes: &[u8]) -> Self {
        Self(Value::of_secret(bytes))
    }

    /// Returns what `none` is in a template.
    pub fn null() -> Self {
        Self(Value::None)
    }

    /// Returns a boolean.
    pub fn boolean(value: bool) -> Self {
        Self(Value::Bool(value))
    }

    /// Returns a number that is printed as it is written here, in the syntax of JSON.
    pub fn number(written: &str) -> Self {
        Self(Value::written(written))
    }

    /// Returns a list.
    ///
    /// # Errors
    ///
    /// It would be nested too deeply.
    pub fn list(items: Vec<Self>) -> Result<Self, TooDeep> {
        let items = items.into_iter().map(|item| item.0).collect();
        List::of(items).map(|list| Self(Value::List(list))).map_err(|_| TooDeep)
    }

    /// Returns a map, in this order. Of equal keys the last one counts.
    ///
    /// # Errors
    ///
    /// It would be nested too deeply.
    pub fn map(entries: Vec<(Zeroizing<String>, Self)>) -> Result<Self, TooDeep> {
        let entries = entries.into_iter().map(|(key, value)| (Value::of_text(key), value.0)).collect();
        Map::of(entries).map(|map| Self(Value::Map(map))).map_err(|_| TooDeep)
    }
}
