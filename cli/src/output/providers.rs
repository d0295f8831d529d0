//! The answer of `secretdir providers`, from the providers' own schemas.

use schemars::JsonSchema;
use secretdir_engine::{Registry, settings_schema};
use secretdir_provider::Provider;
use serde::Serialize;
use serde_json::{Map, Value};

use super::answer::{Answer, DoneState, Text};
use super::fold;
use crate::setting::{Need, Setting};

/// The indent of the documentation of a setting.
const INDENT: &str = "      ";

/// The indent of the continuation lines of a setting in the list, below its text.
const LINE_INDENT: &str = "                    ";

/// The providers of this command.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProviderList {
    /// The providers, in the order of their names.
    providers: Vec<ProviderReport>,
    /// The providers that this command was built without, in the order of their names.
    left_out: Vec<LeftOutReport>,
}

/// A provider that this command was built without.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LeftOutReport {
    /// Its name.
    name: &'static str,
    /// The feature of the crate `secretdir` that adds it.
    feature: &'static str,
}

/// A provider.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProviderReport {
    /// Its name.
    name: String,
    /// The JSON Schema of its settings. Absent if the provider has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    settings: Option<Value>,
}

impl From<&dyn Provider> for ProviderReport {
    fn from(provider: &dyn Provider) -> Self {
        Self { name: provider.name().to_owned(), settings: settings_schema(provider) }
    }
}

/// Lists all providers.
pub(crate) fn answer(registry: &Registry) -> Answer<DoneState, ProviderList> {
    let left_out = registry.left_out().map(|(name, feature)| LeftOutReport { name, feature }).collect();
    let own = ProviderList { providers: registry.providers().map(ProviderReport::from).collect(), left_out };
    Answer::new(DoneState::Ok, own, Text::Listing(list(registry)))
}

/// Explains one provider.
pub(crate) fn answer_one(provider: &dyn Provider) -> Answer<DoneState, ProviderReport> {
    Answer::new(DoneState::Ok, provider.into(), Text::Listing(one(provider)))
}

/// Returns the list of all providers, with a line for each setting.
fn list(registry: &Registry) -> String {
    let providers = registry.providers().map(|provider| {
        let settings = settings(provider).into_iter().map(line);
        std::iter::once(provider.name().to_owned()).chain(settings).collect::<Vec<_>>().join("\n")
    });
    let left_out = registry.left_out().map(|(name, feature)| {
        format!("{name}\n  This command was built without it. The feature `{feature}` adds it.")
    });
    providers.chain(left_out).collect::<Vec<_>>().join("\n\n")
}

/// Returns the full description of one provider.
fn one(provider: &dyn Provider) -> String {
    let settings = settings(provider);
    if settings.is_empty() {
        return format!("{}\n\n  This provider does not describe its settings.", provider.name());
    }
    let settings = settings.into_iter().map(paragraph);
    std::iter::once(provider.name().to_owned()).chain(settings).collect::<Vec<_>>().join("\n\n")
}

/// Returns the settings of a provider, or none if it does not describe them.
fn settings(provider: &dyn Provider) -> Vec<Setting> {
    settings_schema(provider).map(|schema| Setting::all(&schema)).unwrap_or_default()
}

/// Returns the line of a setting in the list, with the first sentence of its description.
fn line(setting: Setting) -> String {
    let Setting { name, need, description, shape } = setting;
    let first = description.split_inclusive(". ").next().unwrap_or_default().trim_end();
    fold(&format!("  {name:<17} {}, {}: {first}", kind(&shape), needed(&need)), LINE_INDENT)
}

/// Returns the full description of a setting.
fn paragraph(setting: Setting) -> String {
    let Setting { name, need, description, shape } = setting;
    let head = fold(&format!("  {name}  ({}, {})", kind(&shape), needed(&need)), INDENT);
    if description.is_empty() {
        head
    } else {
        format!("{head}\n{}", fold(&format!("{INDENT}{description}"), INDENT))
    }
}

fn needed(need: &Need) -> String {
    match need {
        Need::Required => "required".to_owned(),
        Need::Default(value) => format!("default {value}"),
        Need::Optional => "optional".to_owned(),
    }
}

/// Names the type of a value, in the words that errors use.
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
