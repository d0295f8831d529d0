//! The text of `secretdir providers`: what the providers' own schemas say.

use secretdir_engine::Registry;
use serde_json::{Value, json};

pub(crate) fn text(registry: &Registry) -> String {
    let providers = registry.providers().map(|provider| {
        let schema = schema(provider.settings_schema().as_ref().map(|schema| schema.as_str()));
        let settings = settings(&schema);
        std::iter::once(provider.name().to_owned()).chain(settings).collect::<Vec<_>>().join("\n")
    });
    providers.collect::<Vec<_>>().join("\n\n")
}

pub(crate) fn json(registry: &Registry) -> Value {
    let providers = registry.providers().map(|provider| {
        let schema = schema(provider.settings_schema().as_ref().map(|schema| schema.as_str()));
        json!({ "name": provider.name(), "settings": schema })
    });
    json!({ "providers": providers.collect::<Vec<_>>() })
}

/// A provider without a schema, or with one that is not JSON, has nothing to show.
fn schema(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null)
}

fn settings(schema: &Value) -> Vec<String> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Vec::new() };
    let required: Vec<_> = schema.get("required").and_then(Value::as_array).into_iter().flatten().collect();
    let line = |(name, property): (&String, &Value)| {
        let kind = property.get("type").and_then(Value::as_str).unwrap_or("any");
        let need = if required.iter().any(|key| *key == name) { "required" } else { "optional" };
        let description = property.get("description").and_then(Value::as_str).unwrap_or_default();
        format!("  {name:<14} {kind}, {need}: {description}")
    };
    properties.iter().map(line).collect()
}
