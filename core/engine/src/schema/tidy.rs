//! Adapts schemas of Rust types to configurations and answers: no null, and no formats that only Rust has.

use serde_json::{Map, Value};

/// Removes null and Rust's formats from a schema. In TOML and in answers, a missing key stands for null.
pub fn tidy_schema(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            keys.retain(|key, value| !(key == "default" && value.is_null()));
            // A format such as `uint8` only repeats the limits.
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

/// Tidies the value of a keyword. It may be a schema, schemas by name, or a value without schemas.
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

/// Refuses unknown keys.
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
