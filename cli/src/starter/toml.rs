//! Writes JSON values as TOML.

use serde_json::{Map, Value};

/// Writes a value. TOML has no null: it is left out of arrays and tables, and a null by itself becomes an empty string.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Null => text(""),
        Value::String(string) => text(string),
        Value::Array(values) => array(values),
        Value::Object(keys) => table(keys),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Writes a key, in quotes if it needs them.
pub(super) fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { text(name) }
}

/// Writes a string. The syntax of JSON is valid in TOML, except for one character.
pub(super) fn text(string: &str) -> String {
    Value::from(string).to_string().replace('\u{7f}', "\\u007f")
}

fn array(values: &[Value]) -> String {
    let values = values.iter().filter(|value| !value.is_null()).map(value);
    format!("[{}]", values.collect::<Vec<_>>().join(", "))
}

fn table(keys: &Map<String, Value>) -> String {
    let keys = keys.iter().filter(|(_, value)| !value.is_null());
    let keys: Vec<_> = keys.map(|(name, of)| format!("{} = {}", key(name), value(of))).collect();
    if keys.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", keys.join(", ")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e300..1e300).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|keys| Value::Object(keys.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(given in values(), name in any::<String>()) {
            let text = format!("{} = {}", key(&name), value(&given));
            let read: ::toml::Table = ::toml::from_str(&text).unwrap();
            prop_assert_eq!(serde_json::to_value(&read).unwrap(), json!({ name: given }), "{}", text);
        }
    }

    #[test]
    fn there_is_no_null() {
        assert_eq!(value(&json!([null, 1, { "a": null }])), "[1, {}]");
        assert_eq!(value(&Value::Null), "\"\"");
    }
}
