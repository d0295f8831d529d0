//! Parses TOML. Each top-level key is a secret.
//!
//! A string becomes its text. Numbers, booleans and dates are copied as they are written. A table or an array becomes
//! JSON with its keys in order. So `field` picks from it, as from a secret of a cloud.
//!
//! `toml` decodes strings with escapes. The memory that it uses for them, and for strings inside tables, is not wiped.

use std::ops::Range;

use secretdir_provider::SecretBuffer;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::Contents;
use super::fault::{Mistake, Position, TextFault, ValueFault};

type Bytes = SecretBuffer;

/// Parses a text. Of several mistakes, the first one in the text is reported, which need not be the first one that
/// `toml` finds.
pub(super) fn parse(text: &str) -> Result<Contents, TextFault> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if let Some(error) = errors.iter().min_by_key(|error| place_of(text, error).start) {
        return Err(fault(text, error));
    }
    let entries = document.into_inner().into_iter();
    Ok(entries.map(|(key, value)| (key.into_inner().into_owned(), bytes_of(text, value))).collect())
}

fn place_of(text: &str, error: &toml::de::Error) -> Range<usize> {
    error.span().unwrap_or(text.len()..text.len())
}

/// Keeps the position of an error. The message of `toml` may quote the text, so only two kinds of it are recognised,
/// and reported in our own words.
fn fault(text: &str, error: &toml::de::Error) -> TextFault {
    let place = place_of(text, error);
    let position = Position::in_bytes(text.as_bytes(), place.start);
    let mistake = match (error.message(), text.get(place)) {
        ("duplicate key", Some(key)) => Mistake::Duplicate(key.trim_matches(['"', '\'']).to_owned()),
        (message, _) if message.starts_with("invalid unquoted key") => Mistake::BareKey,
        _ => Mistake::NotToml,
    };
    TextFault::new(mistake, position)
}

fn bytes_of(text: &str, value: Spanned<DeValue<'_>>) -> Result<Bytes, ValueFault> {
    let span = value.span();
    match value.into_inner() {
        DeValue::String(string) => Ok(SecretBuffer::from(string.into_owned().into_bytes())),
        value @ (DeValue::Table(_) | DeValue::Array(_)) => {
            let mut json = Json { text, bytes: SecretBuffer::new() };
            json.value(&value, span)?;
            Ok(json.bytes)
        }
        _ => Ok(SecretBuffer::from(written(text, span)?.as_bytes())),
    }
}

/// Returns the text at a position.
fn written(text: &str, span: Range<usize>) -> Result<&str, ValueFault> {
    text.get(span).ok_or(ValueFault::Misplaced)
}

/// JSON under construction. `toml` limits the nesting, so this is limited as well.
struct Json<'t> {
    text: &'t str,
    bytes: Bytes,
}

impl Json<'_> {
    fn value(&mut self, value: &DeValue<'_>, span: Range<usize>) -> Result<(), ValueFault> {
        match value {
            DeValue::String(string) => self.string(string),
            DeValue::Datetime(_) => self.string(written(self.text, span)?),
            DeValue::Integer(_) | DeValue::Float(_) => self.number(written(self.text, span)?)?,
            DeValue::Boolean(flag) => self.bytes.extend_from_slice(flag.to_string().as_bytes()),
            DeValue::Array(array) => self.array(array)?,
            DeValue::Table(table) => self.table(table)?,
        }
        Ok(())
    }

    fn table(&mut self, table: &DeTable<'_>) -> Result<(), ValueFault> {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.get_ref());
        for (number, (key, value)) in entries.into_iter().enumerate() {
            self.bytes.extend_from_slice(if number == 0 { b"{" } else { b"," });
            self.string(key.get_ref());
            self.bytes.extend_from_slice(b":");
            self.value(value.get_ref(), value.span())?;
        }
        self.bytes.extend_from_slice(if table.is_empty() { b"{}" } else { b"}" });
        Ok(())
    }

    fn array(&mut self, array: &DeArray<'_>) -> Result<(), ValueFault> {
        for (number, value) in array.iter().enumerate() {
            self.bytes.extend_from_slice(if number == 0 { b"[" } else { b"," });
            self.value(value.get_ref(), value.span())?;
        }
        self.bytes.extend_from_slice(if array.is_empty() { b"[]" } else { b"]" });
        Ok(())
    }

    /// Copies a number that is also valid in JSON: no `0x`, no `_`, no `+`, no `inf`.
    fn number(&mut self, number: &str) -> Result<(), ValueFault> {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(number).is_ok();
        if !is_json {
            return Err(ValueFault::Number);
        }
        self.bytes.extend_from_slice(number.as_bytes());
        Ok(())
    }

    fn string(&mut self, string: &str) {
        self.bytes.extend_from_slice(b"\"");
        for character in string.chars() {
            match character {
                '"' => self.bytes.extend_from_slice(b"\\\""),
                '\\' => self.bytes.extend_from_slice(b"\\\\"),
                '\n' => self.bytes.extend_from_slice(b"\\n"),
                '\r' => self.bytes.extend_from_slice(b"\\r"),
                '\t' => self.bytes.extend_from_slice(b"\\t"),
                control if control < ' ' => {
                    self.bytes.extend_from_slice(format!("\\u{:04x}", u32::from(control)).as_bytes());
                }
                other => self.bytes.push_char(other),
            }
        }
        self.bytes.extend_from_slice(b"\"");
    }
}
