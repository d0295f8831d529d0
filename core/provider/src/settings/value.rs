//! The value tree.

use std::collections::{BTreeMap, btree_map};
use std::fmt;

use super::path::{KeyPath, Segment};

/// A table of keys and values.
///
/// ```
/// use secretdir_provider::{Table, Value};
///
/// let mut table = Table::from([("root", "secrets")]);
/// table.insert("depth", 3);
/// assert_eq!(table.get("root"), Some(&Value::from("secrets")));
/// assert_eq!(table.keys().collect::<Vec<_>>(), ["depth", "root"]);
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Table(BTreeMap<String, Value>);

/// One value of a configuration. `Debug` shows its type, but not the value.
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
    /// A text. A date of TOML is a text, too.
    String(String),
    /// A list.
    Array(Vec<Value>),
    /// Keys and their values.
    Table(Table),
}

impl Table {
    /// Makes a table without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Sets the value of a key, and returns the one before.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(key.into(), value.into())
    }

    /// Removes a key, and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key)
    }

    /// Keeps only the keys for which the function returns true.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&str, &mut Value) -> bool) {
        self.0.retain(|key, value| is_kept(key, value));
    }

    /// Returns the keys, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns the keys with their values, in the order of the keys.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.0.iter())
    }

    /// Says whether there is such a key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Returns a mutable reference to the value of a key.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.get_mut(key)
    }

    /// Removes the value at a path or, if there is none, the nearest one that contains it. Returns the path of the removed value.
    pub(super) fn remove_nearest(&mut self, path: &KeyPath) -> Option<KeyPath> {
        let segments = path.segments();
        let longest_first = (1..=segments.len()).rev();
        longest_first
            .filter_map(|length| segments.get(..length))
            .find(|part| self.remove_at(part))
            .map(KeyPath::from)
    }

    fn remove_at(&mut self, path: &[Segment]) -> bool {
        match path {
            [Segment::Key(key)] => self.0.remove(key).is_some(),
            [Segment::Key(key), rest @ ..] => match self.0.get_mut(key) {
                Some(Value::Table(below)) => below.remove_at(rest),
                _ => false,
            },
            _ => false,
        }
    }

    /// Says whether a message quotes a value of this table or a part of one.
    pub(super) fn is_quoted_in(&self, message: &str) -> bool {
        self.0.values().any(|value| value.is_quoted_in(message))
    }

    /// Returns how many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Value {
    /// Returns the type in words for people: "a string", "a table".
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

    /// Says whether a message quotes this value or a part of it.
    pub(super) fn is_quoted_in(&self, message: &str) -> bool {
        match self {
            Self::Boolean(_) => false,
            Self::Integer(number) => message.contains(&number.to_string()),
            Self::Float(number) => message.contains(&number.to_string()),
            Self::String(text) => !text.is_empty() && message.contains(text.as_str()),
            Self::Array(values) => values.iter().any(|value| value.is_quoted_in(message)),
            Self::Table(table) => table.is_quoted_in(message),
        }
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Table {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl<K: Into<String>, V: Into<Value>, const N: usize> From<[(K, V); N]> for Table {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K: Into<String>, V: Into<Value>> Extend<(K, V)> for Table {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        self.0.extend(entries.into_iter().map(|(key, value)| (key.into(), value.into())));
    }
}

impl IntoIterator for Table {
    type Item = (String, Value);
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter(self.0.into_iter())
    }
}

impl<'a> IntoIterator for &'a Table {
    type Item = (&'a str, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The keys of a [`Table`] with their values, in the order of the keys.
#[derive(Clone, Debug)]
pub struct Iter<'a>(btree_map::Iter<'a, String, Value>);

/// The keys of a consumed [`Table`], with their values.
#[derive(Debug)]
pub struct IntoIter(btree_map::IntoIter<String, Value>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (key.as_str(), value))
    }
}

impl Iterator for IntoIter {
    type Item = (String, Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<Table> for Value {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(values: Vec<V>) -> Self {
        Self::Array(values.into_iter().map(Into::into).collect())
    }
}

impl<V: Into<Value>, const N: usize> From<[V; N]> for Value {
    fn from(values: [V; N]) -> Self {
        Self::Array(values.into_iter().map(Into::into).collect())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Array(values) => f.debug_list().entries(values).finish(),
            Self::Table(table) => table.fmt(f),
            scalar => f.write_str(scalar.type_name()),
        }
    }
}

/// Shows keys and types, no values.
impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
