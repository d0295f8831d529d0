//! The value of a secret, as minijinja sees it, and what filters take.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{ArgType, Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, Value};
use zeroize::Zeroizing;

use super::error::Refusal;

/// Returns a text if the value is one, bytes otherwise.
pub(super) fn of(value: &[u8]) -> Value {
    match std::str::from_utf8(value) {
        Ok(text) => Value::from(text),
        Err(_) => Value::from_object(Bytes(Zeroizing::new(value.to_vec()))),
    }
}

/// A value that is not UTF-8. Not minijinja's own bytes: those become texts wherever one is wanted, with what is not UTF-8
/// replaced.
struct Bytes(Zeroizing<Vec<u8>>);

impl Object for Bytes {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bytes")
    }
}

/// A text, or a number written as one: what most filters take.
pub(super) struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// Takes a value for a text, if nothing is guessed by that.
    pub(super) fn of(value: &'a Value) -> Result<Self, Error> {
        if let Some(text) = value.as_str() {
            return Ok(Self(Cow::Borrowed(text)));
        }
        match value.kind() {
            ValueKind::Undefined => Err(ErrorKind::UndefinedError.into()),
            ValueKind::Number => Ok(Self(Cow::Owned(value.to_string()))),
            _ if is_bytes(value) => Err(Refusal::NotUtf8.into()),
            _ => Err(Refusal::NotText(describe(value)).into()),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> ArgType<'a> for Text<'_> {
    type Output = Text<'a>;

    fn from_value(value: Option<&'a Value>) -> Result<Text<'a>, Error> {
        Text::of(value.ok_or(ErrorKind::MissingArgument)?)
    }
}

/// A text, or a value that is not UTF-8: what the codings take.
pub(super) struct Octets<'a>(Cow<'a, [u8]>);

impl Octets<'_> {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<'a> ArgType<'a> for Octets<'_> {
    type Output = Octets<'a>;

    fn from_value(value: Option<&'a Value>) -> Result<Octets<'a>, Error> {
        if let Some(bytes) = value.and_then(|value| value.downcast_object_ref::<Bytes>()) {
            return Ok(Octets(Cow::Borrowed(&bytes.0)));
        }
        Ok(Octets(match Text::from_value(value)?.0 {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        }))
    }
}

/// Says whether a value is a secret that is not UTF-8.
pub(super) fn is_bytes(value: &Value) -> bool {
    value.downcast_object_ref::<Bytes>().is_some()
}

/// Names what a value is, for an error.
pub(super) fn describe(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "what is not defined",
        ValueKind::None => "none",
        ValueKind::Bool => "a boolean",
        ValueKind::Number => "a number",
        ValueKind::String => "a text",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Map => "a map",
        _ => "a function",
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::from(ErrorKind::InvalidOperation).with_source(refusal)
    }
}
