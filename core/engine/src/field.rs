//! Picks one field from a JSON secret.
//!
//! The picked bytes are those of the store, as far as JSON allows:
//!
//! - A string gives its text.
//! - A number or boolean gives its JSON text exactly as written: `1.0` stays `1.0`.
//! - An object or array gives its text without the whitespace between tokens. Keys keep their order and their escapes.
//! - Null or a missing field is an error.
//!
//! If an object has equal keys, the last one counts.
//!
//! No copy of a value is left in memory. The text is navigated in place. A picked value is copied once, into a buffer that
//! never grows and is wiped when dropped. Keys are names, not values, and copied as such. Strings are decoded here, because
//! `serde_json` would decode escapes in a scratch buffer that is never wiped. No error quotes the secret.

mod document;
mod error;
mod join;
mod json;
mod json_secret;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

pub(crate) use document::document;
pub use error::{FieldError, FieldSyntaxError, JsonFault};
pub use join::JoinError;
pub(crate) use join::join;
pub(crate) use json_secret::JsonSecret;

use json::Kind;

/// The part of a JSON secret that a file gets. It is a top-level key or, if it starts with `/`, a JSON pointer (RFC 6901).
///
/// ```
/// use secretdir_engine::Field;
///
/// let secret = br#"{"user": "app", "hosts": [{"port": 5432}]}"#;
/// assert_eq!(&**Field::parse("user")?.pick(secret)?, b"app");
/// assert_eq!(&**Field::parse("/hosts/0/port")?.pick(secret)?, b"5432");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    text: String,
    way: Way,
}

/// The way to find a field.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// The whole text is a key of the top-level object.
    Key,
    /// The decoded tokens of a JSON pointer.
    Pointer(Vec<String>),
}

impl Field {
    /// Parses a field as a configuration spells it.
    ///
    /// # Errors
    ///
    /// The text is empty, or is a JSON pointer with an invalid escape.
    pub fn parse(text: &str) -> Result<Self, FieldSyntaxError> {
        let way = match text.strip_prefix('/') {
            None if text.is_empty() => return Err(FieldSyntaxError::Empty),
            None => Way::Key,
            Some(tokens) => Way::Pointer(tokens.split('/').map(unescape).collect::<Result<_, _>>()?),
        };
        Ok(Self { text: text.to_owned(), way })
    }

    /// Makes a field for a key of the top-level object, even if it begins with `/`.
    pub(crate) fn key(key: &str) -> Self {
        Self { text: key.to_owned(), way: Way::Key }
    }

    /// Returns the field as the configuration spells it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Picks the field from a secret.
    ///
    /// # Errors
    ///
    /// The secret is not JSON, does not have the field, or has null there.
    pub fn pick(&self, secret: &[u8]) -> Result<Zeroizing<Vec<u8>>, FieldError> {
        self.pick_from(&mut JsonSecret::read(secret)?)
    }

    /// Picks the field from a secret that is already parsed.
    pub(crate) fn pick_from(&self, secret: &mut JsonSecret<'_>) -> Result<Zeroizing<Vec<u8>>, FieldError> {
        let found = match &self.way {
            Way::Key if Kind::of(secret.whole) != Kind::Object => {
                return Err(FieldError::NotAnObject(self.text.clone()));
            }
            Way::Key => match secret.child(secret.whole, &self.text)? {
                Some(found) => found,
                None => return Err(self.not_at_the_top(secret)),
            },
            Way::Pointer(tokens) => self.follow(tokens, secret)?,
        };
        self.bytes(found)
    }

    /// Follows the tokens of a pointer.
    fn follow<'a>(&self, tokens: &[String], secret: &mut JsonSecret<'a>) -> Result<&'a RawValue, FieldError> {
        let mut value = secret.whole;
        for (depth, token) in tokens.iter().enumerate() {
            if !matches!(Kind::of(value), Kind::Object | Kind::Array) {
                let parent = self.text.split('/').take(depth + 1).collect::<Vec<_>>().join("/");
                return Err(FieldError::NotAContainer { field: self.text.clone(), parent });
            }
            value = secret.child(value, token)?.ok_or_else(|| self.missing())?;
        }
        Ok(value)
    }

    fn bytes(&self, found: &RawValue) -> Result<Zeroizing<Vec<u8>>, FieldError> {
        match Kind::of(found) {
            Kind::Null => Err(FieldError::Null(self.text.clone())),
            Kind::String => json::text(found).ok_or_else(|| FieldError::LoneSurrogate(self.text.clone())),
            Kind::Object | Kind::Array | Kind::Scalar => Ok(json::compact(found)),
        }
    }

    /// Makes the error for a missing key. The key may be a path in the notation of another program: `a.b`, `.a.b`, `$.a.b`,
    /// `a[0].b`, `a/b`.
    fn not_at_the_top(&self, secret: &mut JsonSecret<'_>) -> FieldError {
        let way = self.text.strip_prefix('$').unwrap_or(&self.text);
        let tokens = way.split(['.', '/', '[', ']']).map(|token| token.trim_matches(['"', '\'']));
        let tokens: Vec<_> = tokens.filter(|token| !token.is_empty()).map(str::to_owned).collect();
        if self.follow(&tokens, secret).is_err() || tokens.is_empty() {
            return self.missing();
        }
        let escaped = tokens.iter().map(|token| token.replace('~', "~0"));
        let pointer = escaped.fold(String::new(), |pointer, token| pointer + "/" + &token);
        FieldError::Deeper { field: self.text.clone(), pointer }
    }

    fn missing(&self) -> FieldError {
        FieldError::Missing(self.text.clone())
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Decodes one token of a JSON pointer.
fn unescape(token: &str) -> Result<String, FieldSyntaxError> {
    let mut parts = token.split('~');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (c, rest) = match (part.strip_prefix('0'), part.strip_prefix('1')) {
            (Some(rest), _) => ('~', rest),
            (_, Some(rest)) => ('/', rest),
            _ => return Err(FieldSyntaxError::BadEscape),
        };
        decoded.push(c);
        decoded.push_str(rest);
    }
    Ok(decoded)
}
