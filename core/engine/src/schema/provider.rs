//! The schema of `[sources]`. The keys of a source depend on its provider.

use secretdir_provider::Provider;

use crate::config::shapes;
use serde_json::{Map, Value, json};

use super::tidy;
use crate::registry::Registry;

/// Returns the JSON Schema of a provider's settings. None if the provider has no schema, or an invalid one.
pub fn settings_schema(provider: &dyn Provider) -> Option<Value> {
    let mut schema = serde_json::from_str(provider.settings_schema()?.as_str()).ok()?;
    tidy::tidy_schema(&mut schema);
    tidy::close(schema.as_object_mut()?);
    Some(schema)
}

/// Returns the schema of the sources, and the definitions that it refers to.
pub(super) fn sources(registry: &Registry) -> (Value, Map<String, Value>) {
    let names: Vec<_> = registry.names().collect();
    let mut definitions = Map::new();
    let cases: Vec<_> =
        registry.providers().filter_map(|provider| case(provider, &mut definitions)).collect();
    let schema = json!({
        "type": "object",
        "description": "The sources of secrets, by name.",
        "propertyNames": { "pattern": "^[A-Za-z0-9_-]+$" },
        "additionalProperties": {
            "type": "object",
            "required": ["provider"],
            "properties": {
                "provider": { "enum": names, "description": "The kind of source. The other keys depend on it." },
                "refresh": shapes::refresh(),
            },
            "allOf": cases,
        },
    });
    (schema, definitions)
}

/// Returns the condition for sources of this provider.
fn case(provider: &dyn Provider, definitions: &mut Map<String, Value>) -> Option<Value> {
    let name = provider.name();
    let mut schema = settings_schema(provider)?;
    let prefix = format!("#/$defs/{name}-");
    refer(&mut schema, &prefix);
    let keys = schema.as_object_mut()?;
    if let Some(Value::Object(own)) = keys.remove("$defs") {
        definitions.extend(own.into_iter().map(|(key, value)| (format!("{name}-{key}"), value)));
    }
    let properties = keys.entry("properties").or_insert_with(|| json!({}));
    let properties = properties.as_object_mut()?;
    ["provider", "refresh"].into_iter().for_each(|key| drop(properties.insert(key.to_owned(), json!({}))));
    let only = json!({ "properties": { "provider": { "const": name } }, "required": ["provider"] });
    Some(json!({ "if": only, "then": schema }))
}

/// Changes references to the definitions of the provider, because these get a prefix.
fn refer(schema: &mut Value, prefix: &str) {
    match schema {
        Value::Object(keys) => {
            if let Some(Value::String(reference)) = keys.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("{prefix}{name}");
            }
            keys.values_mut().for_each(|value| refer(value, prefix));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| refer(value, prefix)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use secretdir_provider::{SecretSource, Settings, SettingsError, SettingsSchema};

    use super::*;

    struct Described(&'static str, Option<&'static str>);

    impl Provider for Described {
        fn name(&self) -> &'static str {
            self.0
        }

        fn source(&self, _: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
            Err(SettingsError::new("any", "is not wanted"))
        }

        fn settings_schema(&self) -> Option<SettingsSchema> {
            self.1.map(SettingsSchema::new)
        }
    }

    #[test]
    fn definitions_of_two_providers_are_kept_apart() {
        let mut registry = Registry::new();
        for name in ["one", "two"] {
            let text = r##"{"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {}}}"##;
            registry.register(Box::new(Described(name, Some(text)))).unwrap();
        }
        let (sources, definitions) = sources(&registry);
        let names: Vec<_> = definitions.keys().map(String::as_str).collect();
        assert_eq!(names, ["one-A", "one-B", "two-A", "two-B"]);
        assert_eq!(definitions["two-A"]["$ref"], "#/$defs/two-B");
        let then = &sources["additionalProperties"]["allOf"][0]["then"];
        assert_eq!(then["properties"]["a"]["$ref"], "#/$defs/one-A");
        assert_eq!(then["additionalProperties"], false);
    }

    #[test]
    fn a_provider_without_a_schema_may_have_any_key() {
        let mut registry = Registry::new();
        for (name, text) in [("none", None), ("no-json", Some("{")), ("no-object", Some("[]"))] {
            registry.register(Box::new(Described(name, text))).unwrap();
        }
        let (sources, _) = sources(&registry);
        assert_eq!(sources["additionalProperties"]["allOf"], json!([]));
    }
}
