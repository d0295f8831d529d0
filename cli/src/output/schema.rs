//! `secretdir schema --output`: the JSON Schema of the output of `--json`, from the very types that are serialised.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use secretdir_engine::{Difference, DifferenceState, Outcome, State, StatusReport, tidy_schema};
use serde_json::{Map, Value, json};

use super::answer::{DoneState, Envelope, FailedState, NothingElse};
use super::check::{Checked, CheckedProfiles};
use super::providers::{ProviderList, ProviderReport};
use super::status::StatusState;
use super::written::{ManPages, NewConfig, Script};

/// The description of the whole document.
const DESCRIPTION: &str = "The JSON object that `secretdir COMMAND --json` prints. A command that fails prints `failed`. \
    Later minor versions of secretdir may add fields and kinds: ignore those that you do not know. Unknown values are left out, never null.";

/// A function that makes the schema of one kind of object.
type Describe = fn(&mut SchemaGenerator) -> Schema;

/// The kinds of objects, by their names in the schema.
const OBJECTS: [(&str, Describe); 11] = [
    ("sync", of::<State, Outcome>),
    ("diff", of::<DifferenceState, Difference>),
    ("check", of::<DoneState, Checked>),
    ("check-all-profiles", of::<DoneState, CheckedProfiles>),
    ("status", of::<StatusState, StatusReport>),
    ("init", of::<DoneState, NewConfig>),
    ("providers", of::<DoneState, ProviderList>),
    ("provider", of::<DoneState, ProviderReport>),
    ("completions", of::<DoneState, Script>),
    ("man", of::<DoneState, ManPages>),
    ("failed", of::<FailedState, NothingElse>),
];

/// Returns the schema, in draft 2020-12.
pub(super) fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut definitions = Map::new();
    for (name, describe) in OBJECTS {
        definitions.insert(name.to_owned(), describe(&mut generator).to_value());
    }
    definitions.extend(generator.take_definitions(true));
    for definition in definitions.values_mut() {
        tidy_schema(definition);
        close(definition);
    }
    let objects = OBJECTS.map(|(name, _)| json!({ "$ref": format!("#/$defs/{name}") }));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "secretdir --json",
        "description": DESCRIPTION,
        "anyOf": objects,
        "$defs": definitions,
    })
}

/// Describes an answer, with the description of the command's own part.
fn of<S: JsonSchema, T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = Envelope::<'_, S, T>::json_schema(generator);
    let own = T::json_schema(generator);
    let first = own.get("description").and_then(Value::as_str).and_then(|text| text.split("\n\n").next());
    schema.insert("description".to_owned(), first.unwrap_or_default().into());
    schema
}

/// Forbids additional properties in every object whose fields are known.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            if keywords.contains_key("properties") {
                keywords.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            keywords.values_mut().for_each(close);
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        _ => {}
    }
}
