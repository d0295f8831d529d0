//! Compares the parser with botocore on random files: both must parse a file with the same result, or both refuse it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::ini;
use super::profiles::{Keys, Profiles};

/// Prints what botocore reads in each text of a list; null if it refuses the text.
const BOTOCORE: &str = r#"
import json, sys, tempfile
from botocore.configloader import load_config

def read(text):
    with tempfile.NamedTemporaryFile("w", newline="") as file:
        file.write(text)
        file.flush()
        try:
            config = load_config(file.name)
        except Exception:
            return None
    return {kind: config.get(kind, {}) for kind in ["profiles", "sso_sessions", "services"]}

json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)
"#;

const PIECES: [&str; 34] = [
    "[default]",
    "[profile a]",
    "[profile \"a b\"]",
    "[profile 'a b' ]",
    "[ profile a]",
    "[profile \\\"a]",
    "[a]",
    "[DEFAULT]",
    "[services s]",
    "[sso-session s]",
    "[",
    "]",
    "\n",
    "\n",
    "\n",
    "\n\n",
    "\r\n",
    " ",
    "  ",
    "\t",
    "region = r",
    "region=r # c",
    "Region : r",
    "x =",
    "y = 1",
    "y = 2",
    "ssm =",
    "endpoint_url = u",
    "# c",
    "; c",
    "=",
    ":",
    "\u{e9}",
    "%(x)s",
];

fn texts(seed: u64) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut text = || {
        let count = random.usize(0..14);
        (0..count).map(|_| PIECES[random.usize(0..PIECES.len())]).collect::<String>()
    };
    // Half of the texts begin as most files do.
    (0..2000).map(|number| if number % 2 == 0 { format!("[default]\n{}", text()) } else { text() }).collect()
}

fn of_botocore(texts: &[String]) -> Vec<Value> {
    let mut child = Command::new(secretdir_testkit::python())
        .args(["-c", BOTOCORE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(json!(texts).to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn of_ours(text: &str) -> Value {
    let Ok(sections) = ini::parse(text) else { return Value::Null };
    let mut profiles = Profiles::default();
    let file = Arc::from(Path::new("config"));
    sections.into_iter().for_each(|section| profiles.add_config(section, &file));
    json!({
        "profiles": shown(&profiles.profiles),
        "sso_sessions": shown(&profiles.sso_sessions),
        "services": shown(&profiles.services),
    })
}

fn shown(sections: &BTreeMap<String, Keys>) -> Value {
    let keys =
        |keys: &Keys| keys.iter().map(|(name, key)| (name.clone(), key_shown(key))).collect::<Map<_, _>>();
    Value::Object(
        sections.iter().map(|(name, section)| (name.clone(), Value::Object(keys(section)))).collect(),
    )
}

fn key_shown(key: &super::profiles::Key) -> Value {
    if key.below.is_empty() {
        return Value::String(key.value.clone());
    }
    Value::Object(
        key.below.iter().map(|(name, entry)| (name.clone(), Value::String(entry.value.clone()))).collect(),
    )
}

/// Removes empty lines from a value of several lines. No key that counts may have such a value.
fn without_empty_lines(mut value: Value) -> Value {
    match &mut value {
        Value::String(text) => {
            *text = text.split('\n').filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
        }
        Value::Object(map) => map.values_mut().for_each(|value| *value = without_empty_lines(value.take())),
        _ => {}
    }
    value
}

#[test]
fn files_are_read_or_refused_as_botocore_does() {
    for seed in [1, u64::from(std::process::id())] {
        let texts = texts(seed);
        let expected = of_botocore(&texts);
        assert!(expected.iter().filter(|read| !read.is_null()).count() > 200);
        for (text, expected) in texts.iter().zip(expected) {
            let found = without_empty_lines(of_ours(text));
            assert_eq!(found, without_empty_lines(expected), "seed {seed}: {text:?}");
        }
    }
}
