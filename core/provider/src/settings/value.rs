//! The value tree.

use std::collections::BTreeMap;
use std::fmt;

use super::path::{KeyPath, Segment};

/// Keys and their values.
///
/// ```
/// use secretdir_provider::{Table, Value};
///
/// let table = Table::from([("root".to_owned(), Value::from("secrets"))]);
/// assert_eq!(table["root"].type_name(), "a string");
/// ```
pub type Table = BTreeMap<String, Value>;

/// One value of a configuration. `Debug` shows its type, not the value.
///
/// ```
/// use secretdir_provider::Value;
///
/// let value = Value::Array(vec![Value::from("hunter2"), Value::Integer(7)]);
/// assert_eq!(format!("{value:?}"), "[a string, a whole number]");
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text; a date is its text.
    String(String),
    /// A list.
    Array(Vec<Value>),
    /// Keys and their values.
    Table(Table),
}

impl Value {
    /// Returns the type as a person would call it: "a string", "a table".
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a fraction",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
        }
    }

    /// Takes out the value at a path or, where there is none, the nearest table or array around it. Returns what went.
    pub(super) fn remove_nearest(&mut self, path: &KeyPath) -> Option<KeyPath> {
        let segments = path.segments();
        let longest_first = (1..=segments.len()).rev();
        longest_first
            .filter_map(|length| segments.get(..length))
            .find(|part| self.remove(part))
            .map(KeyPath::from)
    }

    fn remove(&mut self, path: &[Segment]) -> bool {
        match (self, path) {
            (Self::Table(table), [Segment::Key(key)]) => table.remove(key).is_some(),
            (Self::Table(table), [Segment::Key(key), rest @ ..]) => {
                table.get_mut(key).is_some_and(|value| value.remove(rest))
            }
            _ => false,
        }
    }

    /// Says whether a message quotes this value or a part of it.
    pub(super) fn is_quoted_in(&self, message: &str) -> bool {
        match self {
            Self::Boolean(_) => false,
            Self::Integer(number) => message.contains(&number.to_string()),
            Self::Float(number) => message.contains(&number.to_string()),
            Self::String(text) => !text.is_empty() && message.contains(text.as_str()),
            Self::Array(values) => values.iter().any(|value| value.is_quoted_in(message)),
            Self::Table(table) => table.values().any(|value| value.is_quoted_in(message)),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Array(values) => f.debug_list().entries(values).finish(),
            Self::Table(table) => f.debug_map().entries(table).finish(),
            scalar => f.write_str(scalar.type_name()),
        }
    }
}
