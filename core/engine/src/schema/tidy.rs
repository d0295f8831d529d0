//! From what Rust's types are to what configurations and answers have: no null, and no format that only Rust knows.

use serde_json::{Map, Value};

/// Takes out of a schema what no TOML can hold, and no answer does: null, in whose place a key is absent.
pub fn tidy_schema(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            keys.retain(|key, value| !(key == "default" && value.is_null()));
            // Such as `uint8`, beside the numbers that say the same.
            keys.remove("format");
            if let Some(kinds) = keys.get_mut("type") {
                without_null(kinds);
            }
            if let Some(Value::Array(choices)) = keys.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
            }
            keys.iter_mut().for_each(|(key, value)| tidy_below(key, value));
        }
        Value::Array(values) => values.iter_mut().for_each(tidy_schema),
        _ => {}
    }
}

/// Tidies what a keyword holds: schemas, schemas by a name that is no keyword, or values that are none.
fn tidy_below(keyword: &str, value: &mut Value) {
    match (keyword, value) {
        ("properties" | "patternProperties" | "dependentSchemas" | "$defs", Value::Object(named)) => {
            named.values_mut().for_each(tidy_schema);
        }
        ("default" | "enum" | "const" | "examples" | "required" | "dependentRequired", _) => {}
        (_, value) => tidy_schema(value),
    }
}

fn without_null(kinds: &mut Value) {
    let Value::Array(several) = kinds else { return };
    several.retain(|kind| kind != "null");
    if let [only] = several.as_mut_slice() {
        *kinds = only.take();
    }
}

/// Unknown keys are errors everywhere.
pub(super) fn close(keys: &mut Map<String, Value>) {
    for named_after_rust in ["$schema", "title"] {
        keys.remove(named_after_rust);
    }
    keys.insert("additionalProperties".to_owned(), Value::Bool(false));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_is_null_and_the_rest_stays() {
        let mut schema = json!({
            "type": ["integer", "null"], "default": null, "format": "uint8", "minimum": 0,
            "properties": { "a": { "anyOf": [{ "$ref": "#/$defs/A" }, { "type": "null" }], "default": 3 } },
        });
        tidy_schema(&mut schema);
        let expected = json!({
            "type": "integer", "minimum": 0,
            "properties": { "a": { "anyOf": [{ "$ref": "#/$defs/A" }], "default": 3 } },
        });
        assert_eq!(schema, expected);
    }

    #[test]
    fn a_key_may_be_called_like_a_keyword_and_values_stay() {
        let schema = json!({
            "properties": { "format": { "enum": ["json"] }, "default": { "type": "string", "examples": [{ "format": 1 }] } },
            "default": { "format": "x" }, "dependentRequired": { "format": ["default"] },
        });
        let mut tidied = schema.clone();
        tidy_schema(&mut tidied);
        assert_eq!(tidied, schema);
    }
}
