//! The settings of a header: a text, or a table with the location of its credential.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use secretdir_provider::CredentialSettings;
use serde::de::value::{Error as PlainError, MapDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Value, json};

const PREFIX: &str = "prefix";

/// The keys of [`CredentialSettings`], and one more.
const KEYS: &[&str] = &[PREFIX, "file", "env", "credential"];

const EXPECTED: &str = "a text, or a table such as { prefix = \"Bearer \", file = \"/run/token\" }";

#[derive(Debug)]
pub(crate) enum HeaderSettings {
    Text(String),
    Secret { prefix: String, credential: CredentialSettings },
}

impl<'de> Deserialize<'de> for HeaderSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("HeaderSettings", KEYS, Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = HeaderSettings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<HeaderSettings, E> {
        Ok(HeaderSettings::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HeaderSettings, A::Error> {
        let (mut prefix, mut rest) = (String::new(), Vec::new());
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            if key == PREFIX { prefix = value } else { rest.push((key, value)) }
        }
        let rest = MapDeserializer::<_, PlainError>::new(rest.into_iter());
        let credential = CredentialSettings::deserialize(rest).map_err(A::Error::custom)?;
        Ok(HeaderSettings::Secret { prefix, credential })
    }
}

impl JsonSchema for HeaderSettings {
    fn schema_name() -> Cow<'static, str> {
        "Header".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // The schema is a constant of the interface, and always an object.
        let credential: Value = serde_json::from_str(CredentialSettings::SCHEMA).unwrap_or_default();
        let mut properties = credential.get("properties").cloned().unwrap_or_default();
        if let Some(properties) = properties.as_object_mut() {
            let prefix = json!({ "type": "string", "description": "The text before the credential." });
            properties.insert(PREFIX.to_owned(), prefix);
        }
        let table = json!({
            "type": "object",
            "additionalProperties": false,
            "properties": properties,
            "oneOf": [{ "required": ["file"] }, { "required": ["env"] }, { "required": ["credential"] }],
        });
        Schema::try_from(json!({ "anyOf": [{ "type": "string" }, table] })).unwrap_or_default()
    }
}
