//! Deserializes a tree of values into any `serde` type. An error has its path and never quotes a value.
//!
//! The path of an error grows on the way up: each level puts its key or index in front. So good values need no path. Unknown
//! keys are collected instead of raised, so one pass finds them all. Their paths grow in the same way.

use std::cell::RefCell;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};

use super::error::SettingsProblem;
use super::path::{KeyPath, Segment};
use super::read_error::{ReadError, unknown_key};
use super::value::{Iter, Table, Value};

/// Reads a tree, and returns the result and the unknown keys.
pub(super) fn deserialize<T: DeserializeOwned>(
    table: &Table,
) -> (Result<T, SettingsProblem>, Vec<SettingsProblem>) {
    let unknown = RefCell::default();
    let top = Node::Table(table);
    let parsed = T::deserialize(NodeDeserializer { node: top, unknown: &unknown });
    (
        parsed.map_err(|error| error.redacted(|message| top.is_quoted_in(message)).into_problem()),
        unknown.into_inner(),
    )
}

/// The input: a value, or the table at the top.
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

/// One step down the tree. It becomes a segment of a path only if there is an error.
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

/// The unknown keys so far.
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

    /// Reads one value below this one, and adds the step to the paths of its errors.
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
        read.map_err(|error| error.redacted(|message| node.is_quoted_in(message)).under(step.segment()))
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

    /// Passes on the keys of the struct, and collects the others.
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

/// The keys of a table that are fields of a struct.
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
