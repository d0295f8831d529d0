//! The JSON Schema of a whole configuration, for editors: the sections from the types that they are read into, the settings
//! of each source from its provider.
//!
//! What the schema accepts may still be refused: that two files have the same name, or that there is no such source, a
//! schema cannot say. What it refuses is refused by [`Config::resolve`](crate::Config::resolve) as well.

mod provider;
pub(crate) mod shapes;
mod tidy;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::Registry;
use crate::config::section::{DirectorySection, FileSection, GatherSection, OnChangeSection, Section};

pub use provider::settings_schema;

/// Returns the JSON Schema (draft 2020-12) of a configuration whose sources have providers of this registry.
pub fn schema(registry: &Registry) -> Value {
    let (sources, definitions) = provider::sources(registry);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "secretdir",
        "description": "Secrets, and the files that they are published as.",
        "type": "object",
        "additionalProperties": false,
        "required": ["directory", "files"],
        "properties": {
            "directory": section::<DirectorySection>(),
            "on-change": section::<OnChangeSection>(),
            "gather": section::<GatherSection>(),
            "sources": sources,
            "files": {
                "type": "object",
                "description": "The files, each by its name below the directory; `/` makes directories.",
                "propertyNames": { "minLength": 1, "maxLength": 4096, "pattern": "^[^/]" },
                "additionalProperties": section::<FileSection>(),
            },
        },
        "$defs": definitions,
    })
}

/// Returns the schema of one section.
fn section<S: Section + JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<S>().to_value();
    tidy::tidy(&mut schema);
    if let Value::Object(keys) = &mut schema {
        close(keys);
        keys.insert("required".to_owned(), json!(S::REQUIRED));
    }
    schema
}

/// Unknown keys are errors everywhere.
fn close(keys: &mut Map<String, Value>) {
    for named_after_rust in ["$schema", "title"] {
        keys.remove(named_after_rust);
    }
    keys.insert("additionalProperties".to_owned(), Value::Bool(false));
}
