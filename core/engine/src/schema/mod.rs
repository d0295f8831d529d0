//! The JSON Schema of a configuration, for editors. Its sections come from the types that they are parsed into. The
//! settings of each source come from its provider.
//!
//! A configuration that the schema accepts may still be invalid. A schema cannot express, for example, that two files have
//! the same name or that a source does not exist. Everything that the schema refuses,
//! [`Config::resolve`](crate::Config::resolve) refuses too.

mod provider;
mod tidy;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::config::entry_section::{FileSection, ImportSection, TemplateSecretSection};
use crate::config::hook_section::{OnChangeSection, VerifySection};
use crate::config::section::{DirectorySection, GatherSection, Section, WatchSection};
use crate::registry::Registry;

pub use provider::settings_schema;
pub use tidy::tidy_schema;

/// Returns the JSON Schema (draft 2020-12) of a configuration with the providers of this registry.
pub fn schema(registry: &Registry) -> Value {
    let (sources, definitions) = provider::sources(registry);
    let (directory, gather) = (section::<DirectorySection>(), section::<GatherSection>());
    let (verify, on_change) = (section::<VerifySection>(), on_change());
    let (watch, file) = (section::<WatchSection>(), file());
    let removable = |schema: &Value| json!({ "anyOf": [schema, { "const": false }] });
    let profile = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "directory": optional(&directory),
            "verify": removable(&verify),
            "on-change": removable(&on_change),
            "watch": watch,
            "gather": gather,
            "sources": sources,
            "files": files(&removable(&file)),
            "import": removable(&imports()),
        },
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "secretdir",
        "description": "Secrets, and the files that they are published to.",
        "type": "object",
        "additionalProperties": false,
        "required": ["directory"],
        "anyOf": [{ "required": ["files"] }, { "required": ["import"] }],
        "properties": {
            "directory": directory,
            "verify": verify,
            "on-change": on_change,
            "watch": watch,
            "gather": gather,
            "sources": sources,
            "files": files(&file),
            "import": imports(),
            "profiles": {
                "type": "object",
                "description": "The differences with `--profile NAME`, each written as [profiles.NAME]. A profile replaces keys of \
                    `directory`, `gather` and `watch`, whole sources, the whole `verify`, `on-change` or `import`, and files. `false` \
                    removes a file, `verify`, `on-change` or `import`.",
                "additionalProperties": profile,
            },
        },
        "$defs": definitions,
    })
}

/// Returns the schema of a file, which is made of one secret or of a template.
fn file() -> Value {
    let mut file = section::<FileSection>();
    if let Value::Object(keys) = &mut file {
        let without = |names: &[&str]| {
            names.iter().map(|name| ((*name).to_owned(), Value::Bool(false))).collect::<Map<_, _>>()
        };
        let [path, text] = FileSection::OF_A_TEMPLATE;
        let rendered = |key: &str, other: &str| {
            let others = [&FileSection::OF_A_SECRET[..], &[other]].concat();
            json!({ "required": [key], "properties": without(&others) })
        };
        let one = json!({
            "required": FileSection::REQUIRED_OF_A_SECRET,
            "properties": without(&[&FileSection::OF_A_TEMPLATE[..], &[FileSection::SECRETS]].concat()),
        });
        keys.insert("oneOf".to_owned(), json!([one, rendered(path, text), rendered(text, path)]));
        if let Some(Value::Object(properties)) = keys.get_mut("properties") {
            properties.insert(FileSection::SECRETS.to_owned(), template_secrets());
        }
    }
    file
}

/// Returns the schema of the secrets of a template: single secrets, or all secrets below a prefix.
fn template_secrets() -> Value {
    let mut secret = section::<TemplateSecretSection>();
    if let Value::Object(keys) = &mut secret {
        let without = |names: &[&str]| {
            names.iter().map(|name| ((*name).to_owned(), Value::Bool(false))).collect::<Map<_, _>>()
        };
        let ways = json!([
            { "required": ["secret"], "properties": without(&TemplateSecretSection::OF_A_PREFIX) },
            { "required": ["prefix"], "properties": without(&TemplateSecretSection::OF_A_SECRET) },
        ]);
        keys.insert("oneOf".to_owned(), ways);
    }
    json!({
        "type": "object",
        "description": "The secrets of a template, by the names that it uses. Each is one secret (`source` and `secret`), or \
            a map of all secrets whose names begin with a `prefix`.",
        "propertyNames": { "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" },
        "additionalProperties": secret,
    })
}

/// Returns the schema of the actions after a change: a command or units, a stamp, or both.
fn on_change() -> Value {
    let mut on_change = section::<OnChangeSection>();
    if let Value::Object(keys) = &mut on_change {
        let ways = json!([
            { "required": ["command"], "properties": { "units": false } },
            { "required": ["units"], "properties": { "command": false } },
            { "required": ["stamp"], "properties": { "command": false, "units": false } },
        ]);
        keys.insert("oneOf".to_owned(), ways);
    }
    on_change
}

/// Returns the schema of all files, given that of one file.
fn files(file: &Value) -> Value {
    json!({
        "type": "object",
        "description": "The files, by their names below the directory. `/` makes subdirectories.",
        "propertyNames": { "minLength": 1, "maxLength": 4096, "pattern": "^[^/]" },
        "additionalProperties": file,
    })
}

/// The description of the imports.
const IMPORTS: &str = "Many files at once, written as [[import]]: one for each key of a JSON secret (`source`, `secret` and \
    `expand = \"json\"`), or one for each secret whose name begins with a `prefix` (`source` and `prefix`).";

/// Returns the schema of the imports: each of the keys of a secret, or of the secrets below a prefix.
fn imports() -> Value {
    let mut import = section::<ImportSection>();
    if let Value::Object(keys) = &mut import {
        let ways = json!([
            { "required": ["secret", "expand"], "properties": { "prefix": false } },
            { "required": ["prefix"], "properties": { "secret": false, "expand": false, "version": false } },
        ]);
        keys.insert("oneOf".to_owned(), ways);
    }
    json!({ "type": "array", "minItems": 1, "description": IMPORTS, "items": import })
}

/// Returns the schema without required keys.
fn optional(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(keys) = &mut schema {
        keys.remove("required");
    }
    schema
}

/// Returns the schema of one section.
fn section<S: Section + JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<S>().to_value();
    tidy_schema(&mut schema);
    if let Value::Object(keys) = &mut schema {
        tidy::close(keys);
        keys.insert("required".to_owned(), json!(S::REQUIRED));
    }
    schema
}
