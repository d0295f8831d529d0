//! Navigates JSON in place.
//!
//! `serde_json` validates the text and finds the limits of its parts, which [`RawValue`] borrows. Keys are compared and
//! strings decoded here. Each level is walked by itself, and skipping a value needs no recursion. So nesting costs no
//! stack.

use std::fmt;

use secretdir_helpers::compact_json;
use serde::Deserializer as _;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::error::{FieldError, JsonFault};

/// The kind of a value, which its first byte tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    String,
    /// A number or a boolean.
    Scalar,
    Null,
}

impl Kind {
    pub(super) fn of(value: &RawValue) -> Self {
        match value.get().as_bytes().first() {
            Some(b'{') => Self::Object,
            Some(b'[') => Self::Array,
            Some(b'"') => Self::String,
            Some(b'n') => Self::Null,
            _ => Self::Scalar,
        }
    }
}

/// Validates the whole text, so that no later step can find a syntax error.
pub(super) fn parse(secret: &[u8]) -> Result<&RawValue, FieldError> {
    let text = std::str::from_utf8(secret).map_err(|error| not_utf8(secret, error.valid_up_to()))?;
    serde_json::from_str(text).map_err(|error| not_json(&error))
}

fn not_utf8(secret: &[u8], good: usize) -> FieldError {
    let before = secret.get(..good).unwrap_or_default();
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
    FieldError::NotJson { fault: JsonFault::NotUtf8, line, column }
}

/// Keeps the position of an error and drops its message, which may quote the text.
fn not_json(error: &serde_json::Error) -> FieldError {
    let fault = if error.is_eof() { JsonFault::EndsEarly } else { JsonFault::Syntax };
    FieldError::NotJson { fault, line: error.line(), column: error.column() }
}

/// A member of an object. The key is none if it contains half of a surrogate pair.
pub(super) type Entry<'a> = (Option<String>, &'a RawValue);

/// Returns the members of an object, in their order.
pub(super) fn members(object: &RawValue) -> Result<Vec<Entry<'_>>, FieldError> {
    Deserializer::from_str(object.get()).deserialize_map(Members).map_err(|error| not_json(&error))
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<Entry<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut found: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = found.next_entry::<&RawValue, &RawValue>()? {
            members.push((text(key).and_then(|key| String::from_utf8(key.to_vec()).ok()), value));
        }
        Ok(members)
    }
}

/// Returns the elements of an array.
pub(super) fn elements(array: &RawValue) -> Result<Vec<&RawValue>, FieldError> {
    Deserializer::from_str(array.get()).deserialize_seq(Elements).map_err(|error| not_json(&error))
}

struct Elements;

impl<'de> Visitor<'de> for Elements {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut found: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(value) = found.next_element()? {
            elements.push(value);
        }
        Ok(elements)
    }
}

/// Copies a value without the whitespace between its tokens.
pub(super) fn compact(value: &RawValue) -> Zeroizing<Vec<u8>> {
    let json = value.get();
    let mut bytes = Zeroizing::new(Vec::with_capacity(json.len()));
    bytes.extend(compact_json(json));
    bytes
}

/// Decodes a string. Returns none if it contains half of a surrogate pair. A text is never longer than its JSON, so the
/// buffer never grows.
pub(super) fn text(string: &RawValue) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(string.get().len()));
    for piece in pieces(string) {
        match piece {
            Piece::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            Piece::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Piece::LoneSurrogate => return None,
        }
    }
    Some(bytes)
}

/// A part of a string.
enum Piece<'a> {
    /// Literal text.
    Text(&'a str),
    /// The character of an escape.
    Char(char),
    /// An escape with half of a surrogate pair, which is no character.
    LoneSurrogate,
}

/// Splits a string into pieces. Its syntax is already validated.
fn pieces(string: &RawValue) -> Pieces<'_> {
    let json = string.get();
    Pieces(json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(json))
}

/// The rest of a string.
struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if let Some(escape) = self.0.strip_prefix('\\') {
            return self.escape(escape);
        }
        let (text, rest) = self.0.split_at(self.0.find('\\').unwrap_or(self.0.len()));
        self.0 = rest;
        (!text.is_empty()).then_some(Piece::Text(text))
    }
}

impl<'a> Pieces<'a> {
    fn escape(&mut self, escape: &'a str) -> Option<Piece<'a>> {
        let mut chars = escape.chars();
        let letter = chars.next()?;
        self.0 = chars.as_str();
        Some(match letter {
            'b' => Piece::Char('\u{8}'),
            'f' => Piece::Char('\u{c}'),
            'n' => Piece::Char('\n'),
            'r' => Piece::Char('\r'),
            't' => Piece::Char('\t'),
            'u' => self.unicode(),
            itself => Piece::Char(itself),
        })
    }

    /// Parses the digits of one `\uXXXX`, and the second escape of a surrogate pair.
    fn unicode(&mut self) -> Piece<'a> {
        let Some((first, rest)) = unit(self.0) else { return Piece::LoneSurrogate };
        self.0 = rest;
        if let Some(c) = char::from_u32(first.into()) {
            return Piece::Char(c);
        }
        let Some((second, rest)) = rest.strip_prefix("\\u").and_then(unit) else {
            return Piece::LoneSurrogate;
        };
        self.0 = rest;
        match char::decode_utf16([first, second]).next() {
            Some(Ok(c)) => Piece::Char(c),
            _ => Piece::LoneSurrogate,
        }
    }
}

/// Parses four hexadecimal digits.
fn unit(text: &str) -> Option<(u16, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    Some((u16::from_str_radix(digits, 16).ok()?, rest))
}
