//! A key of a configuration table, as its JSON Schema describes it.

use serde_json::{Map, Value};

/// The longest chain of references that is followed.
const MOST_REFERENCES: usize = 8;

/// A key, and the requirements for its value.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) need: Need,
    /// Its description in one line of any length.
    pub(crate) description: String,
    /// The schema of its value, with references resolved.
    pub(crate) shape: Value,
}

/// Whether a key is required.
#[derive(Debug, PartialEq)]
pub(crate) enum Need {
    Required,
    Default(Value),
    Optional,
}

impl Setting {
    /// Returns the keys of a table, sorted by name.
    pub(crate) fn all(schema: &Value) -> Vec<Self> {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Vec::new() };
        let required = names(schema.get("required"));
        let settings = properties.iter().map(|(name, property)| {
            let is_required = required.contains(&name.as_str());
            Self::of(name, followed(property, schema), is_required)
        });
        settings.collect()
    }

    fn of(name: &str, shape: Value, is_required: bool) -> Self {
        let need = match shape.get("default") {
            _ if is_required => Need::Required,
            Some(default) => Need::Default(default.clone()),
            None => Need::Optional,
        };
        let description = one_line(shape.get("description"));
        Self { name: name.to_owned(), need, description, shape }
    }
}

/// Returns a description as one line, with one space between words.
pub(crate) fn one_line(description: Option<&Value>) -> String {
    let text = description.and_then(Value::as_str).unwrap_or_default().replace(char::is_control, " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the strings of an array. Returns none if it is not an array.
pub(crate) fn names(array: Option<&Value>) -> Vec<&str> {
    array.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Replaces a reference by the schema that it refers to. Keywords beside the reference take precedence.
pub(crate) fn followed(schema: &Value, root: &Value) -> Value {
    let mut keys = schema.as_object().cloned().unwrap_or_default();
    for _ in 0..MOST_REFERENCES {
        let Some(Value::String(reference)) = keys.remove("$ref") else { break };
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        add(&mut keys, target.and_then(Value::as_object));
    }
    Value::Object(keys)
}

fn add(keys: &mut Map<String, Value>, more: Option<&Map<String, Value>>) {
    for (key, value) in more.into_iter().flatten() {
        keys.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_setting_is_what_its_schema_says_and_what_that_refers_to() {
        let schema = json!({
            "required": ["b"],
            "properties": {
                "a": { "$ref": "#/$defs/A", "default": 1 },
                "b": { "type": "string", "default": "x", "description": " two\n lines\u{7f}" },
                "c": { "$ref": "#/$defs/none" },
                "d": { "$ref": "#/$defs/endless" },
            },
            "$defs": {
                "A": { "$ref": "#/$defs/B", "description": "of A" },
                "B": { "type": "integer", "description": "of B" },
                "endless": { "$ref": "#/$defs/endless" },
            },
        });
        let [a, b, c, d] = &Setting::all(&schema)[..] else { panic!("four") };
        assert_eq!((&a.need, a.description.as_str()), (&Need::Default(json!(1)), "of A"));
        assert_eq!(a.shape["type"], "integer");
        assert_eq!((&b.need, b.description.as_str()), (&Need::Required, "two lines"));
        assert_eq!((&c.need, &d.need), (&Need::Optional, &Need::Optional));
    }

    #[test]
    fn a_schema_of_anything_has_no_settings() {
        for schema in [json!({}), json!([]), json!(true), json!({ "properties": 1 })] {
            assert!(Setting::all(&schema).is_empty(), "{schema}");
        }
    }
}
