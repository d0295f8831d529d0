//! The text of `secretdir providers`: what the providers' own schemas say.

use secretdir_engine::{Registry, settings_schema};
use secretdir_provider::Provider;
use serde_json::{Value, json};

/// How wide the documentation of a setting is, in characters.
const WIDTH: usize = 80;

/// Returns the list of all: a line for each setting.
pub(crate) fn list(registry: &Registry) -> String {
    let providers = registry.providers().map(|provider| {
        let settings = Setting::all(provider).into_iter().map(|setting| setting.line());
        std::iter::once(provider.name().to_owned()).chain(settings).collect::<Vec<_>>().join("\n")
    });
    providers.collect::<Vec<_>>().join("\n\n")
}

/// Returns what there is to know of one.
pub(crate) fn one(provider: &dyn Provider) -> String {
    let settings = Setting::all(provider);
    if settings.is_empty() {
        return format!("{}\n\n  This provider does not describe its settings.", provider.name());
    }
    let settings = settings.into_iter().map(|setting| setting.paragraph());
    std::iter::once(provider.name().to_owned()).chain(settings).collect::<Vec<_>>().join("\n\n")
}

pub(crate) fn list_json(registry: &Registry) -> Value {
    json!({ "providers": registry.providers().map(one_json).collect::<Vec<_>>() })
}

pub(crate) fn one_json(provider: &dyn Provider) -> Value {
    json!({ "name": provider.name(), "settings": settings_schema(provider) })
}

/// One key of the settings.
struct Setting {
    name: String,
    kind: String,
    need: String,
    description: String,
}

impl Setting {
    fn all(provider: &dyn Provider) -> Vec<Self> {
        let schema = settings_schema(provider).unwrap_or_default();
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Vec::new() };
        let required: Vec<_> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().collect();
        let is_required = |name: &String| required.iter().any(|key| *key == name);
        properties.iter().map(|(name, property)| Self::of(name, property, is_required(name))).collect()
    }

    fn of(name: &str, property: &Value, is_required: bool) -> Self {
        let need = match property.get("default") {
            _ if is_required => "required".to_owned(),
            Some(default) => format!("default {default}"),
            None => "optional".to_owned(),
        };
        let description = property.get("description").and_then(Value::as_str).unwrap_or_default();
        let description = description.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { name: name.to_owned(), kind: kind(property), need, description }
    }

    fn line(&self) -> String {
        let Self { name, kind, need, description } = self;
        let first = description.split_inclusive(". ").next().unwrap_or_default().trim_end();
        format!("  {name:<17} {kind}, {need}: {first}")
    }

    fn paragraph(&self) -> String {
        let head = format!("  {}  ({}, {})", self.name, self.kind, self.need);
        wrapped(&self.description).into_iter().fold(head, |text, line| format!("{text}\n      {line}"))
    }
}

/// Says what a value has to be, in the words that errors use.
fn kind(property: &Value) -> String {
    if let Some(words) = property.get("enum").and_then(Value::as_array) {
        return words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    }
    match property.get("type") {
        Some(Value::String(kind)) => named(kind, property),
        Some(Value::Array(kinds)) => {
            let kinds = kinds.iter().filter_map(Value::as_str).map(|kind| named(kind, property));
            kinds.collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    }
}

fn named(kind: &str, property: &Value) -> String {
    match kind {
        "integer" => "whole number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "object" => "table".to_owned(),
        "array" => property
            .get("items")
            .map_or("array".to_owned(), |items| format!("array of {}s", self::kind(items))),
        other => other.to_owned(),
    }
}

/// Breaks a text into lines.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
