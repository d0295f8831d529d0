//! `schema` and `providers NAME`: a configuration that explains itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::Value;

use crate::configuration::written_out;
use crate::support::Site;

/// The examples of the project.
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../config-examples");

fn schema() -> Value {
    Site::new().run(&["schema"]).expect_exit(0).json()
}

fn validator() -> Validator {
    let schema = schema();
    assert!(jsonschema::meta::is_valid(&schema));
    jsonschema::validator_for(&schema).unwrap()
}

/// Reads TOML as an editor does.
fn parse(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

fn complaints(validator: &Validator, text: &str) -> Vec<String> {
    validator.iter_errors(&parse(text)).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn examples() -> Vec<PathBuf> {
    let entries = fs::read_dir(EXAMPLES).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect()
}

/// The reference with every key that it shows only as a comment.
fn whole_reference() -> String {
    let text = fs::read_to_string(Path::new(EXAMPLES).join("reference.toml")).unwrap();
    written_out(&text)
}

#[test]
fn the_schema_accepts_every_example() {
    let validator = validator();
    let examples = examples();
    assert!(examples.len() >= 5);
    for path in examples {
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(complaints(&validator, &text), [""; 0], "{path:?}");
    }
    assert_eq!(complaints(&validator, &whole_reference()), [""; 0]);
}

/// A configuration, and the same with one line replaced or added: a mistake.
const GOOD: &str = r#"
[directory]
path = "out/app"
mode = "0700"
retain = "60s"
[gather]
concurrency = 1
[on-change]
command = ["true"]
[sources.local]
provider = "file"
root = "source"
[files]
a = { source = "local", secret = "a" }
"#;

/// A line of it, and what stands there instead.
const MISTAKES: &[(&str, &str)] = &[
    ("[gather]", "[gathr]"),
    ("path = \"out/app\"", "pth = \"out/app\""),
    ("path = \"out/app\"", "path = 7"),
    ("path = \"out/app\"", ""),
    ("mode = \"0700\"", "mode = \"0778\""),
    ("mode = \"0700\"", "mode = 448"),
    ("mode = \"0700\"", "owner = \"\""),
    ("mode = \"0700\"", "durability = \"fsync\""),
    ("retain = \"60s\"", "retain = \"soon\""),
    ("retain = \"60s\"", "retain = \"60\""),
    ("retain = \"60s\"", "retain = \"6 fortnights\""),
    ("concurrency = 1", "concurrency = 0"),
    ("concurrency = 1", "timeout = \"0s\""),
    ("command = [\"true\"]", "command = \"true\""),
    ("command = [\"true\"]", "command = []"),
    ("command = [\"true\"]", ""),
    ("[sources.local]", "[sources.\"lo cal\"]"),
    ("provider = \"file\"", ""),
    ("provider = \"file\"", "provider = \"fil\""),
    ("provider = \"file\"", "provider = \"env\""),
    ("root = \"source\"", "rot = \"source\""),
    ("root = \"source\"", "root = \"\""),
    ("root = \"source\"", "root = [\"source\"]"),
    ("provider = \"file\"\nroot = \"source\"", "provider = \"aws-secrets-manager\"\nregion = \"a b\""),
    ("provider = \"file\"\nroot = \"source\"", "provider = \"env\"\nprefix = \"A=\""),
    ("provider = \"file\"\nroot = \"source\"", "provider = \"exec\"\ncommand = [\"cat\"]"),
    ("provider = \"file\"\nroot = \"source\"", "provider = \"http\"\nurl = \"store.test/{secret}\""),
    (
        "provider = \"file\"\nroot = \"source\"",
        "provider = \"http\"\nurl = \"https://a/{secret}\"\nredirects = 6",
    ),
    (
        "provider = \"file\"\nroot = \"source\"",
        "provider = \"http\"\nurl = \"https://a/{secret}\"\nheaders = { A = { prefix = \"b\" } }",
    ),
    (
        "provider = \"file\"\nroot = \"source\"",
        "provider = \"exec\"\nplugin = [\"x\"]\nnot-found-status = 256",
    ),
    ("provider = \"file\"\nroot = \"source\"", "provider = \"exec\"\nplugin = [\"x\"]\nstderr = \"hide\""),
    (
        "provider = \"file\"\nroot = \"source\"",
        "provider = \"vault\"\nissue = { x = { path = \"ssh/issue/x\", life = \"soon\" } }",
    ),
    ("secret = \"a\" }", "secert = \"a\" }"),
    ("secret = \"a\" }", "secret = 1 }"),
    ("source = \"local\", ", ""),
    ("a = {", "\"\" = {"),
    ("a = {", "\"/a\" = {"),
    ("[files]\na = { source = \"local\", secret = \"a\" }", ""),
    ("root = \"source\"", "root = \"source\"\npath = \"x.env\""),
    ("root = \"source\"", "root = \"source\"\nformat = \"json\""),
    ("source = \"local\", secret = \"a\" }", "template = \"x\", secret = \"a\" }"),
    ("source = \"local\", secret = \"a\" }", "template = \"x\", template-text = \"a\" }"),
    ("source = \"local\", secret = \"a\" }", "template-text = 7 }"),
    ("source = \"local\", secret = \"a\" }", "template-text = \"a\", decode = \"hex\" }"),
    ("secret = \"a\" }", "secret = \"a\", pem = \"cert\" }"),
    ("secret = \"a\" }", "secret = \"a\", join = 1 }"),
    ("source = \"local\", secret = \"a\" }", "template-text = \"a\", pem = \"key\" }"),
    ("[files]", "[[import]]\nsource = \"local\"\n[files]"),
    ("[files]", "[[import]]\nsource = \"local\"\nsecret = \"a\"\n[files]"),
    ("[files]", "[[import]]\nsource = \"local\"\nprefix = \"a\"\nsecret = \"a\"\nexpand = \"json\"\n[files]"),
    ("[files]", "[[import]]\nsource = \"local\"\nprefix = \"a\"\nexpand = \"json\"\n[files]"),
    ("[files]", "[[import]]\nsource = \"local\"\nsecret = \"a\"\nexpand = \"yaml\"\n[files]"),
    ("[files]", "[[import]]\nsource = \"local\"\nprefix = \"a\"\ninclude = []\n[files]"),
    ("[files]", "[[import]]\nprefix = \"a\"\n[files]"),
    ("[files]", "[import]\nprefix = \"a\"\nsource = \"local\"\n[files]"),
];

#[test]
fn what_the_schema_refuses_the_command_refuses_too() {
    let (validator, site) = (validator(), Site::new());
    assert_eq!(complaints(&validator, GOOD), [""; 0]);
    site.config(GOOD);
    site.run(&["check"]).expect_exit(0);
    for (line, mistake) in MISTAKES {
        assert!(GOOD.contains(line));
        let text = GOOD.replacen(line, mistake, 1);
        assert_ne!(complaints(&validator, &text), [""; 0], "{mistake}");
        site.config(&text);
        site.run(&["check"]).expect_exit(2);
    }
}

/// Asserts that a table of the reference has each key that the schema knows there, and each default as it is.
fn assert_complete(what: &str, table: &Value, schema: &Value) {
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let properties = &schema["properties"];
    assert_eq!(keys(table), keys(properties), "{what}");
    for (key, property) in properties.as_object().unwrap() {
        if let Some(default) = property.get("default") {
            assert_eq!(&table[key], default, "{what}.{key}");
        }
    }
}

#[test]
fn the_reference_has_every_key_and_default() {
    let (schema, reference) = (schema(), parse(&whole_reference()));
    for section in ["directory", "verify", "watch", "gather"] {
        assert_complete(section, &reference[section], &schema["properties"][section]);
    }
    // Units stand in a profile: they do not go with a command.
    let mut on_change = reference["on-change"].clone();
    on_change["units"] = reference["profiles"]["host"]["on-change"]["units"].clone();
    assert_complete("on-change", &on_change, &schema["properties"]["on-change"]);
    let top = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(top(&reference), top(&schema["properties"]));

    let cases = schema["properties"]["sources"]["additionalProperties"]["allOf"].as_array().unwrap();
    let sources = reference["sources"].as_object().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let provider = &case["if"]["properties"]["provider"]["const"];
        // A key may stand in one source or in another: not all go together.
        let of_provider = sources.values().filter(|source| &source["provider"] == provider);
        let mut keys: serde_json::Map<_, _> =
            of_provider.flat_map(|source| source.as_object().unwrap().clone()).collect();
        // Every source has it, and one shows it.
        keys.entry("refresh").or_insert(Value::Null);
        assert_complete(provider.as_str().unwrap(), &Value::Object(keys), &case["then"]);
    }

    let imports = reference["import"].as_array().unwrap().iter().flat_map(top).collect::<BTreeSet<_>>();
    let known = top(&schema["properties"]["import"]["items"]["properties"]);
    assert_eq!(known.difference(&imports).collect::<Vec<_>>(), ["version"]);

    let files = reference["files"].as_object().unwrap().values().flat_map(top).collect::<BTreeSet<_>>();
    let known = top(&schema["properties"]["files"]["additionalProperties"]["properties"]);
    assert!(files.is_subset(&known) && known.difference(&files).all(|key| whole_reference().contains(key)));
}

#[test]
fn providers_explains_one_with_types_defaults_and_documentation() {
    let site = Site::new();
    let text = site.run(&["providers", "exec"]).expect_exit(0).stdout;
    for part in [
        "exec\n\n  allow-empty  (true or false, default false)\n      With `command`: allow that a command prints nothing",
        "  command  (array of strings, optional)\n      A program and its arguments, started for each",
        "  environment  (array of strings, default [\"HOME\",\"PATH\"])\n",
        "  max-bytes  (whole number, default 1048576)\n",
        "  trim-newline  (true or false, default false)\n",
    ] {
        assert!(text.contains(part), "{part:?} {text}");
    }
    assert!(!text.contains("root"), "{text}");
    let json = site.run(&["providers", "file", "--json"]).expect_exit(0).json();
    assert_eq!(
        (&json["name"], &json["settings"]["properties"]["root"]["type"]),
        (&"file".into(), &"string".into())
    );
    site.run(&["providers", "exce"]).expect_exit(2).expect_error(&[
        "error: there is no provider `exce`; did you mean `exec`? known: `aws-parameter-store`, `aws-secrets-manager`, `env`, `exec`, `file`, `http`",
    ]);
}
