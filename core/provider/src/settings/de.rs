//! Reads a value tree into any `serde` type, so that an error knows its path and never quotes a value.
//!
//! Errors grow their path on the way up: whoever steps into a key or an element puts it in front. Unknown keys are
//! noted aside rather than raised, so that one pass finds them all, and their paths grow in the same way. So what is good costs no
//! path.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, Visitor,
};

use super::error::SettingsProblem;
use super::path::{KeyPath, Segment};
use super::value::{Iter, Table, Value};

/// Reads a tree: what came of it, and the keys in it that nobody knows.
pub(super) fn deserialize<T: DeserializeOwned>(
    table: &Table,
) -> (Result<T, SettingsProblem>, Vec<SettingsProblem>) {
    let unknown = RefCell::default();
    let top = Node::Table(table);
    let parsed = T::deserialize(NodeDeserializer { node: top, unknown: &unknown });
    (parsed.map_err(|error| error.redacted(top).into_problem()), unknown.into_inner())
}

/// What is read: a value, or the table at the top.
#[derive(Clone, Copy)]
enum Node<'a> {
    Value(&'a Value),
    Table(&'a Table),
}

impl<'a> Node<'a> {
    fn table(self) -> Option<&'a Table> {
        match self {
            Self::Table(table) | Self::Value(Value::Table(table)) => Some(table),
            Self::Value(_) => None,
        }
    }

    fn is_quoted_in(self, message: &str) -> bool {
        match self {
            Self::Value(value) => value.is_quoted_in(message),
            Self::Table(table) => table.is_quoted_in(message),
        }
    }
}

/// One step down, not yet written out: most steps never need to be.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl Step<'_> {
    fn segment(self) -> Segment {
        match self {
            Self::Key(key) => Segment::Key(key.to_owned()),
            Self::Index(index) => Segment::Index(index),
        }
    }
}

/// A failure while reading, at a path that is still growing.
#[derive(Debug)]
struct ReadError {
    path: KeyPath,
    message: String,
    origin: Origin,
}

/// Who wrote the message.
#[derive(Debug, PartialEq)]
enum Origin {
    /// We did: it holds no value.
    Ours,
    /// The type that is being read did: it may quote the value.
    Theirs,
}

impl ReadError {
    fn ours(path: KeyPath, message: String) -> Self {
        Self { path, message, origin: Origin::Ours }
    }

    fn under(self, segment: Segment) -> Self {
        Self { path: self.path.under(segment), ..self }
    }

    /// Takes out a message that quotes the value it is about.
    fn redacted(self, node: Node<'_>) -> Self {
        if self.origin == Origin::Theirs && node.is_quoted_in(&self.message) {
            return Self::ours(self.path, "is not valid".to_owned());
        }
        Self { origin: Origin::Ours, ..self }
    }

    fn into_problem(self) -> SettingsProblem {
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
            // As people write a command for a shell. What they have written is not repeated: it may hold a secret.
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

/// What a configuration calls a sequence.
const ARRAY: &str = "an array";

/// Says what is expected in the words of a configuration rather than of Rust.
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

/// Says what was found, without its value.
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

fn unknown_key(key: &str, known: &[&str]) -> String {
    match secretdir_helpers::nearest(key, known.iter().copied()) {
        Some(near) => format!("unknown key; did you mean `{near}`?"),
        None if known.is_empty() => "unknown key; there are none here".to_owned(),
        None => format!("unknown key; known here: {}", quoted(known)),
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Where unknown keys are noted.
type Unknown = RefCell<Vec<SettingsProblem>>;

#[derive(Clone, Copy)]
struct NodeDeserializer<'a> {
    node: Node<'a>,
    unknown: &'a Unknown,
}

impl<'a> NodeDeserializer<'a> {
    fn keys(self, table: &'a Table) -> TableAccess<'a> {
        TableAccess { parent: self, entries: table.iter(), next: None }
    }

    /// Reads one value below this one; what is wrong learns where it was.
    fn read<'de, S: DeserializeSeed<'de>>(
        &self,
        seed: S,
        step: Step<'a>,
        value: &'a Value,
    ) -> Result<S::Value, ReadError>
    where
        'a: 'de,
    {
        let node = Node::Value(value);
        let known_before = self.unknown.borrow().len();
        let read = seed.deserialize(NodeDeserializer { node, unknown: self.unknown });
        for problem in self.unknown.borrow_mut().iter_mut().skip(known_before) {
            problem.move_under(step.segment());
        }
        read.map_err(|error| error.redacted(node).under(step.segment()))
    }
}

impl<'de> Deserializer<'de> for NodeDeserializer<'de> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let value = match self.node {
            Node::Table(table) => return visitor.visit_map(self.keys(table)),
            Node::Value(value) => value,
        };
        match value {
            Value::Boolean(flag) => visitor.visit_bool(*flag),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(values) => {
                visitor.visit_seq(ArrayAccess { parent: self, elements: values.iter().enumerate() })
            }
            Value::Table(table) => visitor.visit_map(self.keys(table)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    /// Notes the keys that the struct does not have, and passes on the others.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let Some(table) = self.node.table() else { return self.deserialize_any(visitor) };
        for key in table.keys().filter(|key| !known.contains(key)) {
            self.unknown.borrow_mut().push(SettingsProblem::new(KeyPath::from(key), unknown_key(key, known)));
        }
        visitor.visit_map(StructAccess { keys: self.keys(table), known })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        if let Some(table) = self.node.table() {
            return visitor.visit_enum(MapAccessDeserializer::new(self.keys(table)));
        }
        match self.node {
            Node::Value(Value::String(variant)) => visitor.visit_enum(variant.as_str().into_deserializer()),
            Node::Table(_) => Err(ReadError::custom("expected a string, found a table")),
            Node::Value(other) => {
                Err(ReadError::custom(format!("expected a string, found {}", other.type_name())))
            }
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

struct TableAccess<'a> {
    parent: NodeDeserializer<'a>,
    entries: Iter<'a>,
    next: Option<(&'a str, &'a Value)>,
}

impl<'a> TableAccess<'a> {
    fn key_of<'de, K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
        entry: (&'a str, &'a Value),
    ) -> Result<Option<K::Value>, ReadError> {
        self.next = Some(entry);
        seed.deserialize(entry.0.into_deserializer()).map(Some)
    }
}

impl<'de> MapAccess<'de> for TableAccess<'de> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.key_of(seed, entry)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let (key, value) =
            self.next.take().ok_or_else(|| ReadError::custom("a value was asked for before its key"))?;
        self.parent.read(seed, Step::Key(key), value)
    }
}

/// The keys of a table that a struct has.
struct StructAccess<'a> {
    keys: TableAccess<'a>,
    known: &'static [&'static str],
}

impl<'de> MapAccess<'de> for StructAccess<'de> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let known = self.known;
        match self.keys.entries.find(|(key, _)| known.contains(key)) {
            Some(entry) => self.keys.key_of(seed, entry),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        self.keys.next_value_seed(seed)
    }
}

struct ArrayAccess<'a> {
    parent: NodeDeserializer<'a>,
    elements: std::iter::Enumerate<std::slice::Iter<'a, Value>>,
}

impl<'de> SeqAccess<'de> for ArrayAccess<'de> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        let Some((index, value)) = self.elements.next() else { return Ok(None) };
        self.parent.read(seed, Step::Index(index), value).map(Some)
    }
}
