//! Mistakes in a configuration: all at once, each with its line and dotted path, before anything is fetched or written.

use std::fs;
use std::path::Path;

use crate::support::{HEAD, Site};

#[test]
fn five_mistakes_are_five_errors_with_line_and_path() {
    let site = Site::new();
    site.config(
        r#"[directory]
path = "out/app"
mod = "0750"
retain = "soon"

[sources.local]
provider = "fil"

[sources.other]
provider = "file"
root = 3

[files]
"db/../password" = { source = "other", secret = "a" }
"token" = { source = "local", secret = "a", mode = "rw" }
"#,
    );
    let ran = site.run(&["check"]).expect_exit(2);
    let file = site.path().join("secretdir.toml");
    let expected = [
        (3, "directory.mod: unknown key; did you mean `mode`?"),
        (4, "directory.retain: "),
        (7, "sources.local.provider: "),
        (11, "sources.other.root: expected a string, found a whole number"),
        (14, "files.\"db/../password\": "),
        (15, "files.token.mode: "),
    ];
    let lines: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(lines.len(), expected.len(), "{}", ran.stderr);
    for (line, (number, text)) in lines.iter().zip(expected) {
        assert!(
            line.starts_with(&format!("error: {}:{number}: {text}", file.display())),
            "{line}\nis not {number}: {text}"
        );
    }
    assert_eq!(ran.stdout, "");
    assert!(!site.path().join("out").exists());
    site.run(&["sync"]).expect_exit(2);
    assert!(!site.path().join("out").exists());
}

#[test]
fn bad_file_names_are_refused() {
    let site = Site::new();
    for (names, expected) in [
        (vec!["../a"], "`..`"),
        (vec!["a/../b"], "`..`"),
        (vec!["/a"], "relative"),
        (vec!["a//b"], "empty component"),
        (vec!["a/"], "empty component"),
        (vec!["a/b", "a//b"], "`a/b`"),
        (vec!["./a", "a"], "`a`"),
        (vec!["caf\u{e9}", "cafe\u{301}"], "caf\u{e9}"),
        (vec!["a", "a/b"], "`a/b`"),
        (vec![".app.state"], ".app."),
    ] {
        let entries =
            names.iter().map(|name| format!("{name:?} = {{ source = \"local\", secret = \"s\" }}\n"));
        // TOML writes an escape as Rust's Debug does, but for the combining accent.
        let entries = entries.collect::<String>().replace("\\u{301}", "\u{301}");
        site.config(&format!("{HEAD}\n[files]\n{entries}"));
        let ran = site.run(&["check"]).expect_exit(2);
        assert!(
            ran.stderr.contains(expected) && ran.stderr.contains("secretdir.toml:"),
            "{names:?}: {ran:?}"
        );
    }
}

#[test]
fn a_file_without_files_says_so() {
    let site = Site::new();
    site.config(HEAD);
    site.run(&["check"]).expect_exit(2).expect_error(&["[files]"]);
}

#[test]
fn what_cannot_work_is_warned_of() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("path = \"out/app\"", "path = \"out/app\"\nfile-mode = \"0440\""));
    let ran = site.run(&["check"]).expect_exit(0);
    assert!(ran.stderr.starts_with("warning: "), "{ran:?}");
}

#[test]
fn every_example_loads_and_plans() {
    let site = Site::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config-examples");
    let mut seen = 0;
    for entry in fs::read_dir(&examples).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let ran = site.run(&["check", "--config", path.to_str().unwrap()]).expect_exit(0);
            assert!(ran.stdout.starts_with("ok: "), "{ran:?}");
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen} examples");
}

/// The defaults that the reference shows in its comments are good, and are the defaults.
#[test]
fn every_default_in_the_reference_may_be_written_out() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config-examples");
    let reference = fs::read_to_string(examples.join("reference.toml")).unwrap();
    let site = Site::new();
    let written_out = written_out(&reference);
    let written: Vec<_> = written_out
        .lines()
        .filter(|line| {
            !["owner", "group", "profile"].iter().any(|key| line.starts_with(&format!("{key} = ")))
        })
        .collect();
    site.config(&written.join("\n"));
    fs::copy(examples.join("app.env.tmpl"), site.path().join("app.env.tmpl")).unwrap();
    let (short, long) = (
        reference.lines().filter(|line| is_key(line)).count(),
        written.iter().filter(|line| is_key(line)).count(),
    );
    assert!(long >= short + 10, "{short} keys, and {long} with the defaults");
    site.run(&["check"]).expect_exit(0);
}

/// Returns a configuration with every key that it shows only in a comment.
pub(crate) fn written_out(text: &str) -> String {
    let lines = text.lines().map(|line| line.strip_prefix("# ").filter(|rest| is_key(rest)).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

fn is_key(line: &str) -> bool {
    line.split_once(" = ")
        .is_some_and(|(key, _)| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
}
