//! JSON, YAML and TOML: each of their readers gets every value back.

use std::process::Command;

use secretdir_testkit::programs;
use serde_json::Value;

use super::{declared, site, write};
use crate::support::{Ran, Site};

/// Values that somebody who quotes carelessly breaks.
const AWKWARD: [&str; 10] = [
    "plain",
    "",
    "\"quoted\" and 'quoted'",
    "two\nlines\r\n",
    "back\\slash \\n \\u0041",
    "a # no comment",
    "  blanks \t ",
    "\u{7f}\u{1}\u{85}\u{2028}\u{feff}",
    "\u{fc}n\u{ef}c\u{f6}de \u{1f511}",
    "{{ not }} {% a %} template",
];

/// Renders a document with all of them, each by the filter.
fn document(before: &str, filter: &str, between: &str, after: &str) -> Site {
    let names: Vec<_> = (0..AWKWARD.len()).map(|number| format!("v{number}")).collect();
    let secrets: Vec<_> = names.iter().map(String::as_str).zip(AWKWARD).collect();
    let values: Vec<_> = names.iter().map(|name| format!("{{{{ {name} | {filter} }}}}")).collect();
    let site = site(&secrets, &format!("{before}{}{after}", values.join(between)));
    site.sync();
    site
}

/// Lets a program print as JSON what it reads.
fn read_by(site: &Site, program: &mut Command) -> Value {
    let ran = Ran::of(program.arg(site.link().join("out"))).expect_exit(0);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn python(script: &str) -> Command {
    let mut command = Command::new(programs().join("python"));
    command.args(["-X", "utf8", "-c", script]);
    command
}

#[test]
fn json_is_read_back_by_jq_node_and_python() {
    let site = document("[", "json", ", ", "]\n");
    assert_eq!(read_by(&site, Command::new("jq").arg(".")), serde_json::json!(AWKWARD));
    let script = "const fs = require('fs'); console.log(JSON.stringify(JSON.parse(fs.readFileSync(process.argv[1], 'utf8'))))";
    let mut node = Command::new(programs().join("node"));
    assert_eq!(read_by(&site, node.args(["-e", script])), serde_json::json!(AWKWARD));
    let script = "import json, sys; print(json.dumps(json.load(open(sys.argv[1], encoding='utf-8'))))";
    assert_eq!(read_by(&site, &mut python(script)), serde_json::json!(AWKWARD));
}

/// With its types.
#[test]
fn a_json_document_is_read_back_by_jq_as_it_was() {
    let secret =
        r#"{"port": 5432, "ratio": 1.5, "debug": false, "none": null, "list": ["a", {"b": "\u2028"}]}"#;
    let site = site(&[("db", secret)], "");
    let declared = declared("db", "db").replace(" }", ", expand = \"json\" }");
    write(&site, &declared, "{{ db | json }}");
    site.sync();
    let expected: Value = serde_json::from_str(secret).unwrap();
    assert_eq!(read_by(&site, Command::new("jq").arg(".")), expected);
}

#[test]
fn toml_is_read_back_by_tomllib() {
    let site = document("values = [", "toml", ",\n", "]\n");
    let script =
        "import json, sys, tomllib; print(json.dumps(tomllib.load(open(sys.argv[1], 'rb'))['values']))";
    assert_eq!(read_by(&site, &mut python(script)), serde_json::json!(AWKWARD));
}

#[test]
fn json_is_read_back_as_yaml() {
    let site = document("values:\n  - ", "json", "\n  - ", "\n");
    let script = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding='utf-8'))['values']))";
    assert_eq!(read_by(&site, &mut python(script)), serde_json::json!(AWKWARD));
}
