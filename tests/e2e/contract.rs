//! The contract of `--json`: what is printed, what the schema says, and what docs/json.md says, are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use secretdir::Exit;
use secretdir_engine::ErrorKind;
use serde_json::{Value, json};

use crate::support::contract::{MARK, SCHEMA, validate};
use crate::support::{COMMAND, HEAD, Ran, Site};

const PAGE: &str = include_str!("../../docs/json.md");

/// What every object begins with.
const ENVELOPE: [&str; 5] = [MARK, "state", "exit_code", "warnings", "errors"];

/// Returns an object of each command, and of what fails.
fn objects(site: &Site) -> Vec<Value> {
    let asked: [(&[&str], i32); 14] = [
        (&["init", "env", "--config", "new.toml"], 0),
        (&["status"], 0),
        (&["diff"], 10),
        (&["sync"], 0),
        (&["diff"], 0),
        (&["status"], 0),
        (&["check"], 0),
        (&["check", "--fetch"], 0),
        (&["check", "--all-profiles"], 0),
        (&["providers"], 0),
        (&["providers", "file"], 0),
        (&["completions", "fish"], 0),
        (&["man", "man"], 0),
        (&["exec", "--", "no-such-program"], 127),
    ];
    let object = |(arguments, exit): (&[&str], i32)| {
        site.run(&[&["--json"], arguments].concat()).expect_exit(exit).json()
    };
    asked.map(object).to_vec()
}

/// A site whose objects have something in all their lists.
fn site() -> Site {
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let config = config.replace("path = \"out/app\"", "path = \"out/app\"\nfile-mode = \"0440\"");
    site.config(&format!(
        "{config}none = {{ source = \"local\", secret = \"none\", optional = true }}\n[profiles.dev.directory]\npath = \"out/dev\"\n"
    ));
    site
}

#[test]
fn every_object_begins_alike() {
    for object in objects(&site()) {
        for field in ENVELOPE {
            assert!(object.get(field).is_some(), "{field}: {object:#}");
        }
        assert_eq!(object[MARK], 1);
        assert_eq!(
            object["errors"] == json!([]),
            object["exit_code"] == 0 || object["exit_code"] == 10,
            "{object:#}"
        );
    }
}

/// Puts a field that nobody has documented into one object after the other, and calls back with what comes of each.
fn undocumented(value: &mut Value, whole: &dyn Fn(Value) -> Value, seen: &mut dyn FnMut(Value)) {
    if let Value::Object(fields) = &*value {
        let mut more = fields.clone();
        more.insert("undocumented".to_owned(), json!(1));
        seen(whole(Value::Object(more)));
    }
    let below: Vec<_> = match &*value {
        Value::Object(fields) => {
            fields.keys().filter(|key| *key != "settings").map(|key| format!("/{key}")).collect()
        }
        Value::Array(values) => (0..values.len()).map(|index| format!("/{index}")).collect(),
        _ => Vec::new(),
    };
    for pointer in below {
        let around = value.clone();
        let put = |part: Value| {
            let mut around = around.clone();
            *around.pointer_mut(&pointer).unwrap() = part;
            whole(around)
        };
        undocumented(value.pointer_mut(&pointer).unwrap(), &put, seen);
    }
}

#[test]
fn a_field_that_is_not_documented_is_noticed_wherever_it_is() {
    let mut tried = 0;
    for mut object in objects(&site()) {
        validate(&object).unwrap();
        undocumented(&mut object, &|object| object, &mut |object| {
            tried += 1;
            assert!(validate(&object).is_err(), "{object:#}");
        });
    }
    assert!(tried > 30, "{tried}");
}

#[test]
fn the_schema_is_printed_with_and_without_json_and_knows_no_null() {
    let site = Site::new();
    let plain = site.run(&["schema", "--output"]).expect_exit(0).json();
    assert_eq!(plain, site.run(&["schema", "--output", "--json"]).expect_exit(0).json());
    assert_eq!(&plain, &*SCHEMA);
    assert!(!plain.to_string().contains("\"null\""));
}

/// Calls back with each property that the schema names.
fn properties<'s>(schema: &'s Value, found: &mut dyn FnMut(&'s str, &'s Value)) {
    match schema {
        Value::Object(keywords) => {
            for (name, property) in
                keywords.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                found(name, property);
            }
            keywords.values().for_each(|value| properties(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| properties(value, found)),
        _ => {}
    }
}

/// Returns the type of a schema, behind references and choices.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return kind(SCHEMA.pointer(reference.strip_prefix('#').unwrap()).unwrap());
    }
    for choice in ["anyOf", "oneOf"] {
        if schema[choice].is_array() {
            return kind(&schema[choice][0]);
        }
    }
    match schema["type"].as_str().unwrap() {
        "array" => format!("array of {}", kind(&schema["items"])),
        kind => kind.to_owned(),
    }
}

#[test]
fn a_name_has_one_type_in_all_commands() {
    let mut kinds = BTreeMap::<&str, BTreeSet<String>>::new();
    properties(&SCHEMA, &mut |name, property| {
        kinds.entry(name).or_default().insert(kind(property));
    });
    assert!(kinds.len() > 40);
    for (name, kinds) in kinds {
        assert_eq!(kinds.len(), 1, "{name}: {kinds:?}");
        let kind = kinds.first().unwrap().as_str();
        for (end, expected) in [
            ("_count", "integer"),
            ("_at", "integer"),
            ("_names", "array of string"),
            ("_ids", "array of string"),
        ] {
            assert!(!name.ends_with(end) || kind == expected, "{name}: {kind}");
        }
    }
}

/// Returns the rows of the page's table with this head, each as its cells.
fn table(head: &str) -> Vec<Vec<String>> {
    let (_, rows) = PAGE.split_once(&format!("\n{head}\n")).unwrap();
    let rows = rows.lines().skip(1).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    rows.map(cells).collect()
}

/// Returns the words in backquotes.
fn quoted(cell: &str) -> BTreeSet<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn constants(schema: &Value) -> BTreeSet<&str> {
    schema["oneOf"].as_array().unwrap().iter().map(|one| one["const"].as_str().unwrap()).collect()
}

#[test]
fn the_page_lists_every_kind_with_its_exit_code() {
    let rows = table("| `kind` | exit | meaning |");
    let listed: BTreeSet<_> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(listed, constants(&SCHEMA["$defs"]["ErrorKind"]));
    assert_eq!(listed.len(), rows.len());
    for row in &rows {
        let kind: ErrorKind = serde_json::from_value(row[0].trim_matches('`').into()).unwrap();
        assert_eq!(row[1], (Exit::from(kind) as u8).to_string(), "{kind:?}");
    }
}

#[test]
fn the_page_lists_the_states_and_fields_of_every_command() {
    let definitions = &SCHEMA["$defs"];
    let mut listed = BTreeSet::new();
    for row in table("| command | `state` | its own fields |") {
        let name = match row[0].trim_matches('`') {
            "any that fails" => "failed",
            "check --all-profiles" => "check-all-profiles",
            "providers NAME" => "provider",
            name => name,
        };
        let object = &definitions[name]["properties"];
        let fields = object.as_object().unwrap().keys().map(String::as_str);
        let own: BTreeSet<_> = fields.filter(|field| !ENVELOPE.contains(field)).collect();
        assert_eq!(quoted(row.get(2).map_or("", String::as_str)), own, "{name}");
        let states = object["state"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        assert_eq!(quoted(&row[1]), constants(&definitions[states]), "{name}");
        listed.insert(format!("#/$defs/{name}"));
    }
    let objects = SCHEMA["anyOf"].as_array().unwrap().iter();
    assert_eq!(listed, objects.map(|object| object["$ref"].as_str().unwrap().to_owned()).collect());
}

#[test]
fn the_page_lists_what_an_error_may_be_about() {
    let tables = PAGE.split_once("\n## Errors\n").unwrap().1.split_once("\n## Kinds of errors\n").unwrap().0;
    let rows = tables.lines().filter(|line| line.starts_with("| `"));
    let listed: BTreeSet<_> = rows.flat_map(|row| quoted(row.split(" | ").next().unwrap())).collect();
    let error = SCHEMA["$defs"]["ErrorReport"]["properties"].as_object().unwrap();
    let about: BTreeSet<_> =
        error.keys().map(String::as_str).filter(|key| !["kind", "message", "hint"].contains(key)).collect();
    assert_eq!(listed, about);
}

/// Returns the first error of a command that fails.
fn first_error(site: &Site, arguments: &[&str], exit: i32) -> Value {
    site.run(&[arguments, &["--json"]].concat()).expect_exit(exit).json()["errors"][0].clone()
}

#[test]
fn an_error_says_what_it_is_about() {
    let site = Site::with_secrets(&[("a", b"1"), ("b", b"{\"x\": 1}")]);
    let good = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let error = |config: &str, exit: i32| {
        site.config(config);
        first_error(&site, &["sync"], exit)
    };
    let about = |error: &Value, fields: Value| {
        for (field, expected) in fields.as_object().unwrap() {
            assert_eq!(&error[field], expected, "{error:#}");
        }
    };

    let config = site.path().join("secretdir.toml");
    let wrong = error(&good.replace("secret = \"a\"", "secert = \"a\""), 2);
    about(
        &wrong,
        json!({ "kind": "configuration", "file": config, "line": 9, "column": 27, "key": "files.a.secert" }),
    );
    let unknown =
        error(&good.replace("path = \"out/app\"", "path = \"out/app\"\nowner = \"no-such-user\""), 2);
    about(&unknown, json!({ "kind": "unknown-owner", "file": config, "line": 3, "key": "directory.owner" }));
    let absent = error(&good.replace("secret = \"a\"", "secret = \"none\""), 3);
    about(
        &absent,
        json!({ "kind": "not-found", "source": "local", "secret_names": ["none"], "file_names": ["a"] }),
    );
    let field = error(&good.replace("secret = \"b\"", "secret = \"b\", field = \"y\""), 3);
    about(
        &field,
        json!({ "kind": "invalid-field", "source": "local", "secret_names": ["b"], "file_names": ["b"] }),
    );
    let coded = error(&good.replace("secret = \"b\"", "secret = \"b\", decode = \"base64\""), 3);
    about(&coded, json!({ "kind": "invalid-encoding", "file_names": ["b"] }));
    let template = "[files]\nt = { template-text = \"\"\"x\n{% if a[99] %}y{% endif %}\"\"\", secrets.a = { source = \"local\", secret = \"a\" } }\n";
    about(
        &error(&format!("{HEAD}{template}"), 3),
        json!({ "kind": "template-failed", "file_names": ["t"], "line": 2 }),
    );
    let import = format!("{HEAD}[[import]]\nsource = \"local\"\nprefix = \"no/\"\n");
    about(&error(&import, 3), json!({ "kind": "import-failed", "source": "local" }));
    about(&error(&format!("{good}[gather]\nmax-bytes = 1\n"), 3), json!({ "kind": "too-large" }));
    let late = error(&format!("{good}[on-change]\ncommand = [\"false\"]\n"), 6);
    about(&late, json!({ "kind": "on-change-failed" }));
}

#[test]
fn an_error_of_publishing_names_step_and_path() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let lock = fs::File::open(site.path().join("out/.app.state/lock")).unwrap();
    lock.lock().unwrap();
    let busy = first_error(&site, &["sync", "--wait", "0s"], 5);
    assert_eq!((&busy["kind"], &busy["step"]), (&"busy".into(), &2.into()), "{busy:#}");
    drop(lock);
    fs::remove_file(site.link()).unwrap();
    fs::write(site.link(), "").unwrap();
    let link = first_error(&site, &["sync"], 4);
    assert_eq!((&link["kind"], &link["path"]), (&"not-a-link".into(), &json!(site.link())), "{link:#}");
    assert_eq!(first_error(&site, &["status"], 4)["kind"], "not-a-link");
    let ran = site.run(&["exec", "--json", "--", "true"]).expect_exit(125).json();
    assert_eq!(ran["errors"][0]["kind"], "not-a-link");
}

#[test]
fn the_rest_of_the_kinds_are_those_of_their_commands() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let ran = site.run(&["exec", "--json", "--", "true"]).expect_exit(125).json();
    assert_eq!(ran["errors"][0]["kind"], "nothing-published");
    site.sync();
    for (arguments, exit, kind) in [
        (&["exec", "--", "no-such-program"][..], 127, "program-not-found"),
        (&["exec", "--", "/etc/passwd"], 126, "not-runnable"),
        (&["providers", "fiel"], 2, "unknown-provider"),
        (&["init", "fiel", "--config", "new.toml"], 2, "unknown-provider"),
        (&["init", "--config", "new.toml"], 2, "usage"),
        (&["init", "file"], 2, "already-there"),
        (&["sync", "--profile", "none"], 2, "configuration"),
    ] {
        let ran = site.run(&[&["--json"], arguments].concat()).expect_exit(exit).json();
        assert_eq!(ran["errors"][0]["kind"], kind, "{ran:#}");
    }
    assert_eq!(first_error(&site, &["sync", "--profile", "none"], 2)["profile"], "none");
}

#[test]
#[should_panic(expected = "undocumented")]
fn whatever_a_process_of_this_suite_prints_is_held_to_the_schema() {
    let site = site();
    site.sync();
    let script = format!("\"{COMMAND}\" status --json | sed 's/\"listing\"/\"undocumented\": 1, &/'");
    let mut shell = Command::new("sh");
    site.prepare(shell.args(["-c", &script]));
    Ran::of(&mut shell);
}
