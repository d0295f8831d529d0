//! From what Rust's types are to what TOML has: no null, and no format that only Rust knows.

use serde_json::Value;

/// Takes out of a schema what no TOML can hold.
pub(super) fn tidy(schema: &mut Value) {
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
            keys.values_mut().for_each(tidy);
        }
        Value::Array(values) => values.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn without_null(kinds: &mut Value) {
    let Value::Array(several) = kinds else { return };
    several.retain(|kind| kind != "null");
    if let [only] = several.as_mut_slice() {
        *kinds = only.take();
    }
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
        tidy(&mut schema);
        let expected = json!({
            "type": "integer", "minimum": 0,
            "properties": { "a": { "anyOf": [{ "$ref": "#/$defs/A" }], "default": 3 } },
        });
        assert_eq!(schema, expected);
    }
}
