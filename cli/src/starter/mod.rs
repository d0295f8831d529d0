//! Writes the text of a first configuration. The schemas describe the keys, those of the providers included. So
//! third-party providers are explained like the built-in ones.
//!
//! A required key is present, with an example of its value. Every other key is a comment that shows its default, or an
//! example. So the text can be checked as it is.

mod sample;
mod toml;

use secretdir_engine::{Registry, settings_schema};
use secretdir_provider::Provider;
use serde_json::{Value, json};

use crate::output::fold;
use crate::setting::{self, Need, Setting};

const HEAD: &str = "\
# Which secrets secretdir publishes: where they come from, and as which files.
#
# A key in a comment shows its default, or an example. Relative paths start at this folder.
#
#   secretdir check     validates this file; with --fetch it also asks the sources
#   secretdir sync      fetches the secrets, and publishes them if something has changed
#   secretdir schema    prints a JSON Schema, so an editor can complete and check this file
#
# check and sync read ./secretdir.toml, unless --config names another file.";

/// A source of the configuration.
pub(crate) struct NamedSource<'r> {
    pub(crate) name: String,
    pub(crate) provider: &'r dyn Provider,
}

/// Whether a table is present, or shown as a comment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    There,
    Commented,
}

/// Returns the text for these sources.
pub(crate) fn text(sources: &[NamedSource<'_>], registry: &Registry) -> String {
    let schema = secretdir_engine::schema(registry);
    let mut tables = vec![
        HEAD.to_owned(),
        section("directory", &schema, Shown::There),
        section("on-change", &schema, Shown::Commented),
        section("gather", &schema, Shown::Commented),
    ];
    tables.extend(sources.iter().map(source));
    tables.push(files(sources, &schema));
    tables.extend(["import", "profiles"].into_iter().filter_map(|name| described(property(&schema, name))));
    tables.join("\n\n") + "\n"
}

/// Returns the schema of a section.
fn property<'s>(schema: &'s Value, name: &str) -> &'s Value {
    schema.pointer(&format!("/properties/{name}")).unwrap_or(&Value::Null)
}

/// Returns a section that every configuration can have.
fn section(name: &str, schema: &Value, shown: Shown) -> String {
    let schema = property(schema, name);
    let header = comment_unless(shown, &format!("[{name}]"));
    let example = |setting: &Setting| example(name, &setting.name);
    let keys = keys(schema, shown, example);
    described(schema).into_iter().chain([header]).chain(keys).collect::<Vec<_>>().join("\n")
}

/// Returns an example for a value without one in the schema, which is for editors.
fn example(section: &str, key: &str) -> Option<Value> {
    match (section, key) {
        ("directory", "path") => Some(json!("secrets/app")),
        ("directory", "owner" | "group") => Some(json!("app")),
        ("on-change", "command") => Some(json!(["pkill", "--signal", "HUP", "--pidfile", "/run/app.pid"])),
        ("on-change", "units") => Some(json!(["app.service"])),
        _ => None,
    }
}

fn source(source: &NamedSource<'_>) -> String {
    let NamedSource { name, provider } = source;
    let head = format!("[sources.{name}]\nprovider = {}", toml::text(provider.name()));
    let Some(schema) = settings_schema(*provider) else {
        return format!("{head}\n# This provider does not describe its settings.");
    };
    let keys = keys(&schema, Shown::There, |_| None);
    std::iter::once(head).chain(keys).collect::<Vec<_>>().join("\n")
}

fn files(sources: &[NamedSource<'_>], schema: &Value) -> String {
    let schema = property(schema, "files");
    let required = ["source", "secret"];
    let others = schema.get("additionalProperties").map(Setting::all).unwrap_or_default();
    let others = others.iter().map(|other| other.name.as_str()).filter(|name| !required.contains(name));
    let others = format!("# Each can also have: {}.", others.collect::<Vec<_>>().join(", "));
    let examples = sources.iter().map(|source| {
        let (file, name) = (toml::text(&format!("{}/password", source.name)), toml::text(&source.name));
        format!("# {file} = {{ source = {name}, secret = {} }}", toml::text(&secret_name(source.provider)))
    });
    let head = described(schema).into_iter().chain([fold(&others, "# "), "[files]".to_owned()]);
    head.chain(examples).collect::<Vec<_>>().join("\n")
}

/// Returns an example of a secret's name, from the provider's schema. Any name will do if the schema has none.
fn secret_name(provider: &dyn Provider) -> String {
    let schema = settings_schema(provider).unwrap_or_default();
    let named = schema.get("x-secret-name").and_then(Value::as_str);
    named.unwrap_or("password").to_owned()
}

/// Returns the keys of a table, the required ones first.
fn keys(schema: &Value, shown: Shown, example: impl Fn(&Setting) -> Option<Value>) -> Vec<String> {
    let chosen = first_choice(schema);
    let is_there =
        |setting: &Setting| setting.need == Need::Required || chosen.contains(&setting.name.as_str());
    let (there, commented): (Vec<_>, Vec<_>) = Setting::all(schema).into_iter().partition(is_there);
    let key = |setting: Setting, shown| {
        let value = example(&setting).unwrap_or_else(|| sample::of(&setting.shape, schema));
        let documentation = documentation(&setting);
        let line = comment_unless(shown, &format!("{} = {}", toml::key(&setting.name), toml::value(&value)));
        comment(&documentation).into_iter().chain([line]).collect::<Vec<_>>().join("\n")
    };
    let there = there.into_iter().map(|setting| key(setting, shown));
    there.chain(commented.into_iter().map(|setting| key(setting, Shown::Commented))).collect()
}

/// Returns the description of a key. If its value shows the default, an example is added.
fn documentation(setting: &Setting) -> String {
    match (&setting.need, setting.shape.pointer("/examples/0")) {
        (Need::Default(_), Some(example)) => {
            format!("{} For example: {}", setting.description, toml::value(example)).trim_start().to_owned()
        }
        _ => setting.description.clone(),
    }
}

/// Returns the required keys of the first alternative, if a schema has alternatives.
fn first_choice(schema: &Value) -> Vec<&str> {
    let choices = ["oneOf", "anyOf"].into_iter().filter_map(|word| schema.get(word));
    choices
        .filter_map(|choices| choices.get(0))
        .flat_map(|first| setting::names(first.get("required")))
        .collect()
}

/// Returns the description of a table, as a comment.
fn described(schema: &Value) -> Option<String> {
    comment(&setting::one_line(schema.get("description")))
}

fn comment(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| fold(&format!("# {text}"), "# "))
}

fn comment_unless(shown: Shown, line: &str) -> String {
    match shown {
        Shown::There => line.to_owned(),
        Shown::Commented => format!("# {line}"),
    }
}

#[cfg(test)]
mod tests {
    use secretdir_provider::{SecretSource, Settings, SettingsError, SettingsSchema};

    use super::*;

    struct Stranger(Option<&'static str>);

    impl Provider for Stranger {
        fn name(&self) -> &'static str {
            "strange"
        }

        fn source(&self, _: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
            Err(SettingsError::new("any", "is not wanted"))
        }

        fn settings_schema(&self) -> Option<SettingsSchema> {
            self.0.map(SettingsSchema::new)
        }
    }

    fn source_of(schema: Option<&'static str>) -> String {
        source(&NamedSource { name: "own".to_owned(), provider: &Stranger(schema) })
    }

    #[test]
    fn a_stranger_is_explained_by_his_schema() {
        let text = source_of(Some(
            r##"{
                "properties": {
                    "url": { "type": "string", "description": "Where it is.", "examples": ["https://a"] },
                    "depth": { "$ref": "#/$defs/Depth" },
                    "a b": { "type": "boolean", "description": "Odd\nname." },
                    "token": { "type": "string" }
                },
                "required": ["url", "token"],
                "$defs": { "Depth": { "type": "integer", "description": "How far.", "default": 3 } }
            }"##,
        ));
        let expected = "[sources.own]\nprovider = \"strange\"\ntoken = \"…\"\n# Where it is.\nurl = \"https://a\"\n\
                        # Odd name.\n# \"a b\" = false\n# How far.\n# depth = 3";
        assert_eq!(text, expected);
    }

    #[test]
    fn of_several_choices_the_first_is_there() {
        let text = source_of(Some(
            r#"{
                "properties": { "a": { "type": "string" }, "b": { "type": "string" } },
                "oneOf": [{ "required": ["b"] }, { "required": ["a"] }]
            }"#,
        ));
        assert_eq!(text, "[sources.own]\nprovider = \"strange\"\nb = \"…\"\n# a = \"…\"");
    }

    #[test]
    fn who_does_not_describe_himself_is_there_by_name() {
        let text = source_of(None);
        assert!(text.starts_with("[sources.own]\nprovider = \"strange\"\n# "), "{text}");
    }
}
