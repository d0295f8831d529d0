//! A secret that is read once, however many fields are picked from it.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;

use super::error::FieldError;
use super::json::{self, Kind};

/// A secret that is JSON. Each object and array that a field leads into is taken apart once: picking many fields of one secret,
/// or all of them, takes no longer than reading it.
pub(crate) struct JsonSecret<'a> {
    pub(super) whole: &'a RawValue,
    /// What is directly inside each value that was entered, by the place in memory where its text begins.
    entered: HashMap<usize, Inside<'a>>,
}

/// What is directly inside a value.
enum Inside<'a> {
    Members(Members<'a>),
    Elements(Vec<&'a RawValue>),
    /// It is neither an object nor an array.
    Nothing,
}

/// The members of an object.
struct Members<'a> {
    /// Of equal keys the last one counts.
    by_key: BTreeMap<String, &'a RawValue>,
    /// Whether a key has half of a surrogate pair in it: it has no name.
    has_nameless: bool,
}

impl<'a> JsonSecret<'a> {
    /// Reads a secret.
    ///
    /// # Errors
    ///
    /// It is not JSON.
    pub(crate) fn read(secret: &'a [u8]) -> Result<Self, FieldError> {
        Ok(Self { whole: json::parse(secret)?, entered: HashMap::new() })
    }

    /// Returns the keys of the top-level object, each once and in order.
    ///
    /// # Errors
    ///
    /// There is no object, or a key that is no text.
    pub(crate) fn keys(&mut self) -> Result<Vec<String>, FieldError> {
        match self.enter(self.whole)? {
            Inside::Members(members) if members.has_nameless => Err(FieldError::KeyNotUnicode),
            Inside::Members(members) => Ok(members.by_key.keys().cloned().collect()),
            Inside::Elements(_) | Inside::Nothing => Err(FieldError::NoKeys),
        }
    }

    /// Finds the value of a key, or the element at an index, that is directly inside a value of this secret.
    pub(super) fn child(
        &mut self,
        value: &'a RawValue,
        token: &str,
    ) -> Result<Option<&'a RawValue>, FieldError> {
        Ok(match self.enter(value)? {
            Inside::Members(members) => members.by_key.get(token).copied(),
            Inside::Elements(elements) => index(token).and_then(|index| elements.get(index)).copied(),
            Inside::Nothing => None,
        })
    }

    /// Returns how many values were taken apart.
    #[cfg(test)]
    pub(super) fn entered_count(&self) -> usize {
        self.entered.len()
    }

    fn enter(&mut self, value: &'a RawValue) -> Result<&Inside<'a>, FieldError> {
        match self.entered.entry(value.get().as_ptr().addr()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => Ok(new.insert(Inside::of(value)?)),
        }
    }
}

impl<'a> Inside<'a> {
    fn of(value: &'a RawValue) -> Result<Self, FieldError> {
        Ok(match Kind::of(value) {
            Kind::Object => {
                let members = json::members(value)?;
                let has_nameless = members.iter().any(|(key, _)| key.is_none());
                let named = members.into_iter().filter_map(|(key, value)| Some((key?, value)));
                Self::Members(Members { by_key: named.collect(), has_nameless })
            }
            Kind::Array => Self::Elements(json::elements(value)?),
            Kind::String | Kind::Scalar | Kind::Null => Self::Nothing,
        })
    }
}

/// Reads an array index as RFC 6901 has it: digits, without leading zeros. `-`, the element after the last, is none.
fn index(token: &str) -> Option<usize> {
    let digits = token.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = token == "0" || !token.starts_with('0');
    if digits && canonical { token.parse().ok() } else { None }
}
