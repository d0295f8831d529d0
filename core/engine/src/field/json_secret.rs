//! A secret that is read once, however many fields are picked from it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::error::FieldError;
use super::json;

/// A secret that is JSON, read once, with the members of its top-level object at hand: picking many fields of one secret, or
/// all of them, takes no longer than reading it.
pub(crate) struct JsonSecret<'a> {
    pub(super) whole: &'a RawValue,
    /// None where it is no object. Of equal keys the last one counts.
    pub(super) members: Option<BTreeMap<String, &'a RawValue>>,
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
        let whole = json::parse(secret)?;
        if json::Kind::of(whole) != json::Kind::Object {
            return Ok(Self { whole, members: None, has_nameless: false });
        }
        let (mut members, mut has_nameless) = (BTreeMap::new(), false);
        for (key, value) in json::members(whole)? {
            match key {
                Some(key) => drop(members.insert(key, value)),
                None => has_nameless = true,
            }
        }
        Ok(Self { whole, members: Some(members), has_nameless })
    }

    /// Returns the keys of the top-level object, each once and in order.
    ///
    /// # Errors
    ///
    /// There is no object, or a key that is no text.
    pub(crate) fn keys(&self) -> Result<Vec<String>, FieldError> {
        match &self.members {
            None => Err(FieldError::NoKeys),
            Some(_) if self.has_nameless => Err(FieldError::KeyNotUnicode),
            Some(members) => Ok(members.keys().cloned().collect()),
        }
    }
}
