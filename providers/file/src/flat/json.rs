//! Parses JSON. Each member of the object is a secret.
//!
//! `serde_json` checks the whole text, and finds the start and end of each value. Numbers and nested values are copied
//! from there, and strings without escapes as well. A string with escapes is decoded in a scratch buffer of
//! `serde_json`, which is not wiped.

use std::fmt;

use secretdir_helpers::compact_json;
use secretdir_provider::SecretBuffer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::Contents;
use super::fault::{Mistake, Position, TextFault, ValueFault};

/// Parses a text that must be one object.
pub(super) fn parse(text: &str) -> Result<Contents, TextFault> {
    let mut duplicate = None;
    let mut deserializer = Deserializer::from_str(text);
    let members = Members { duplicate: &mut duplicate };
    let parsed = members.deserialize(&mut deserializer);
    parsed
        .and_then(|contents| deserializer.end().map(|()| contents))
        .map_err(|error| fault(text, &error, duplicate))
}

/// Keeps the position of an error, and drops the message, which may quote the text. `serde_json` gives the end of a
/// faulty element. This function returns its start, as for the other formats.
fn fault(text: &str, error: &serde_json::Error, duplicate: Option<String>) -> TextFault {
    let (mistake, offset) = match duplicate {
        Some(key) => (Mistake::Duplicate(key), start_of_last_string(text, end_of(text, error))),
        None if error.is_eof() => (Mistake::EndsEarly, text.len()),
        None if error.is_data() => (Mistake::NotAnObject, text.len() - text.trim_ascii_start().len()),
        None => (Mistake::NotJson, end_of(text, error).saturating_sub(1)),
    };
    TextFault::new(mistake, Position::in_bytes(text.as_bytes(), offset))
}

/// Returns the offset up to which the text was read.
fn end_of(text: &str, error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    lines.map(str::len).sum::<usize>() + error.column()
}

/// Returns the offset of the last string that begins before an offset. It begins at a quote that is not escaped.
fn start_of_last_string(text: &str, offset: usize) -> usize {
    let read = text.get(..offset).unwrap_or(text);
    let inside = read.rsplit_once('"').map_or(read, |(inside, _)| inside);
    let is_escaped = |at: usize| {
        let before = inside.as_bytes().get(..at).unwrap_or_default();
        before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
    };
    inside.rmatch_indices('"').map(|(at, _)| at).find(|at| !is_escaped(*at)).unwrap_or(offset)
}

/// Reads the members of an object, and notes a duplicate key.
struct Members<'d> {
    duplicate: &'d mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Contents;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Contents, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Contents;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Contents, A::Error> {
        let mut contents = Contents::new();
        while let Some(key) = members.next_key::<String>()? {
            if contents.contains_key(&key) {
                *self.duplicate = Some(key);
                return Err(A::Error::custom("duplicate key"));
            }
            let value: &RawValue = members.next_value()?;
            contents.insert(key, bytes_of(value));
        }
        Ok(contents)
    }
}

/// Returns the bytes of a value: the text of a string, and the compact JSON of any other value.
fn bytes_of(value: &RawValue) -> Result<SecretBuffer, ValueFault> {
    match value.get().as_bytes().first() {
        Some(b'"') => text_of(value),
        Some(b'n') => Err(ValueFault::Null),
        _ => Ok(compact(value.get())),
    }
}

/// Decodes a string. Its syntax has been checked, but not the characters that its escapes stand for.
fn text_of(string: &RawValue) -> Result<SecretBuffer, ValueFault> {
    let text = serde_json::from_str::<String>(string.get()).map_err(|_| ValueFault::Surrogate)?;
    Ok(SecretBuffer::from(text.into_bytes()))
}

/// Copies JSON without white space between its tokens.
fn compact(json: &str) -> SecretBuffer {
    let mut bytes = SecretBuffer::with_capacity(json.len());
    bytes.extend(compact_json(json));
    bytes
}
