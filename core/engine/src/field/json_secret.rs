//! A secret that is parsed once, however many fields are picked from it.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;

use super::error::FieldError;
use super::json::{self, Kind};

/// A JSON secret. Each object and array that a field leads into is parsed once. So picking many fields of a secret, or all
/// of them, takes no longer than reading it.
pub(crate) struct JsonSecret<'a> {
    pub(super) whole: &'a RawValue,
    /// The direct content of each parsed value, by the address of its text in memory.
    entered: HashMap<usize, Inside<'a>>,
}

/// The direct content of a value.
enum Inside<'a> {
    Members(Members<'a>),
    Elements(Vec<&'a RawValue>),
    /// The value is neither an object nor an array.
    Nothing,
}

/// The members of an object.
struct Members<'a> {
    /// The values by key. Of equal keys, the last one counts.
    by_key: BTreeMap<String, &'a RawValue>,
    /// Whether a key contains half of a surrogate pair, and so has no name.
    has_nameless: bool,
}

impl<'a> JsonSecret<'a> {
    /// Parses a secret.
    ///
    /// # Errors
    ///
    /// The secret is not JSON.
    pub(crate) fn read(secret: &'a [u8]) -> Result<Self, FieldError> {
        Ok(Self { whole: json::parse(secret)?, entered: HashMap::new() })
    }

    /// Returns the keys of the top-level object, each once and in order.
    ///
    /// # Errors
    ///
    /// The secret is not an object, or one of its keys is not Unicode.
    pub(crate) fn keys(&mut self) -> Result<Vec<String>, FieldError> {
        match self.enter(self.whole)? {
            Inside::Members(members) if members.has_nameless => Err(FieldError::KeyNotUnicode),
            Inside::Members(members) => Ok(members.by_key.keys().cloned().collect()),
            Inside::Elements(_) | Inside::Nothing => Err(FieldError::NoKeys),
        }
    }

    /// Returns the value of a key, or the element at an index, directly inside a value of this secret.
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

    /// Returns the number of values that were parsed.
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

/// Parses an array index as RFC 6901 defines it: digits without leading zeros. `-`, the element after the last, is not
/// accepted.
fn index(token: &str) -> Option<usize> {
    let digits = token.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = token == "0" || !token.starts_with('0');
    if digits && canonical { token.parse().ok() } else { None }
}
