//! Makes up a value for a setting.

use serde_json::{Map, Value, json};

use crate::setting::{followed, names};

/// How deep values are nested. A schema that refers to itself has no end.
const DEEPEST: usize = 4;

/// The most elements that are made up for an array with a minimum length.
const MOST_ELEMENTS: u64 = 8;

/// Returns the default of a setting, or else an example, or else a value of its type. References start at `root`.
pub(super) fn of(shape: &Value, root: &Value) -> Value {
    Samples { root }.of(shape, DEEPEST)
}

struct Samples<'s> {
    root: &'s Value,
}

impl Samples<'_> {
    fn of(&self, shape: &Value, depth: usize) -> Value {
        let shape = followed(shape, self.root);
        let said =
            ["/default", "/examples/0", "/const", "/enum/0"].into_iter().find_map(|at| shape.pointer(at));
        let choice = ["/anyOf/0", "/oneOf/0", "/allOf/0"].into_iter().find_map(|at| shape.pointer(at));
        match (said, choice, depth.checked_sub(1)) {
            (Some(said), _, _) => said.clone(),
            (None, Some(choice), Some(depth)) if shape.get("type").is_none() => self.of(choice, depth),
            (None, _, depth) => self.made_up(&shape, depth),
        }
    }

    /// Returns the smallest value of a type.
    fn made_up(&self, shape: &Value, depth: Option<usize>) -> Value {
        match (kind(shape), depth) {
            (Some("boolean"), _) => json!(false),
            (Some("integer" | "number"), _) => shape.get("minimum").cloned().unwrap_or(json!(0)),
            (Some("array"), Some(depth)) => self.array(shape, depth),
            (Some("object"), Some(depth)) => self.table(shape, depth),
            (Some("array"), None) => json!([]),
            (Some("object"), None) => json!({}),
            _ => json!("…"),
        }
    }

    fn array(&self, shape: &Value, depth: usize) -> Value {
        let count = shape.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(1, MOST_ELEMENTS);
        let element = self.of(shape.get("items").unwrap_or(&Value::Null), depth);
        (0..count).map(|_| element.clone()).collect()
    }

    /// Returns a table with the required keys.
    fn table(&self, shape: &Value, depth: usize) -> Value {
        let property = |name: &&str| shape.get("properties")?.get(*name);
        let keys = names(shape.get("required")).into_iter().filter_map(|name| {
            let value = self.of(property(&name)?, depth);
            Some((name.to_owned(), value))
        });
        Value::Object(keys.collect::<Map<_, _>>())
    }
}

/// Returns the type of a value: the first one, if several are allowed.
fn kind(shape: &Value) -> Option<&str> {
    let kind = shape.get("type")?;
    kind.as_str().or_else(|| kind.get(0)?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_comes_before_what_is_made_up() {
        for (shape, expected) in [
            (json!({ "type": "integer", "default": 7, "examples": [8] }), json!(7)),
            (json!({ "type": "integer", "examples": [8, 9] }), json!(8)),
            (json!({ "enum": ["a", "b"] }), json!("a")),
            (json!({ "const": true }), json!(true)),
            (json!({ "type": "integer", "minimum": 1 }), json!(1)),
            (json!({ "type": ["string", "integer"], "minimum": 1 }), json!("…")),
            (
                json!({ "type": "array", "items": { "type": "boolean" }, "minItems": 2 }),
                json!([false, false]),
            ),
            (json!({ "anyOf": [{ "type": "number" }, { "type": "string" }] }), json!(0)),
            (
                json!({ "type": "object", "properties": { "a": {}, "b": {} }, "required": ["b"] }),
                json!({ "b": "…" }),
            ),
            (json!(null), json!("…")),
        ] {
            assert_eq!(of(&shape, &json!({})), expected, "{shape}");
        }
    }

    #[test]
    fn a_schema_without_an_end_has_a_sample() {
        let root = json!({ "$defs": {
            "List": { "type": "array", "items": { "$ref": "#/$defs/List" }, "minItems": 1_000_000 },
            "Choice": { "anyOf": [{ "$ref": "#/$defs/Choice" }] },
        } });
        assert!(of(&json!({ "$ref": "#/$defs/List" }), &root).is_array());
        assert_eq!(of(&json!({ "$ref": "#/$defs/Choice" }), &root), json!("…"));
    }
}
