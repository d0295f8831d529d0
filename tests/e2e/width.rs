//! Lines: no wider than a person reads with ease.

use std::process::Command;

use crate::support::{HEAD, Ran, Site};

const TOO_WIDE: usize = 100;

/// All of them.
pub(crate) const COMMANDS: [&str; 10] =
    ["init", "sync", "diff", "check", "status", "exec", "providers", "schema", "completions", "man"];

/// Returns what a command writes to standard error, as it writes it.
fn stderr(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stderr).unwrap()
}

/// Asserts that each line has less than 100 columns, unless it is one word.
#[track_caller]
fn assert_narrow(text: &str) {
    for line in text.lines().filter(|line| line.chars().count() >= TOO_WIDE) {
        assert!(!line.trim().contains(' '), "{line}");
    }
}

/// Asserts that messages are narrow, and that only what goes on is indented. Returns how many lines do.
#[track_caller]
fn continued(stderr: &str) -> usize {
    assert_narrow(stderr);
    let (begun, continued): (Vec<_>, Vec<_>) = stderr.lines().partition(|line| !line.starts_with("    "));
    let labels = ["error: ", "warning: ", "hint: ", "panic: ", "error:", "warning:"];
    assert!(begun.iter().all(|line| labels.iter().any(|label| line.starts_with(label))), "{stderr}");
    assert!(continued.iter().all(|line| !line.starts_with("     ")), "{stderr}");
    continued.len()
}

#[test]
fn mistakes_and_warnings_are_broken_into_lines() {
    let site = Site::new();
    let files = "[files]\n\"a\" = { source = \"locl\", secret = 1 }\nb.txt = { source = \"local\", secret = \"x\" }\n";
    site.config(&format!(
        "[directry]\n[gather]\ntimeout = \"soon\"\n{HEAD}rot = \"x\"\n[sources.s3]\nprovider = \"aws-secret-manager\"\n{files}"
    ));
    assert!(continued(&stderr(&mut site.command(&["check"]))) >= 3);

    let site = Site::with_secrets(&[("a", b"1")]);
    let config = std::fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("path = \"out/app\"", "path = \"out/app\"\nfile-mode = \"0666\""));
    assert!(continued(&stderr(&mut site.command(&["check"]))) >= 2);
}

#[test]
fn what_a_source_says_is_broken_into_lines_but_not_in_json() {
    let site = Site::new();
    site.config(
        "[directory]\npath = \"out/app\"\n[sources.aws]\nprovider = \"aws-secrets-manager\"\nregion = \"eu-west-1\"\n\
         [files]\na = { source = \"aws\", secret = \"a\" }\n",
    );
    let mut command = site.command(&["sync", "--json"]);
    let output = command.output().unwrap();
    assert!(continued(&String::from_utf8(output.stderr.clone()).unwrap()) >= 1);
    let ran = Ran::from(output).expect_exit(3);
    let hint = ran.json()["errors"][0]["hint"].as_str().unwrap().to_owned();
    assert!(hint.len() > TOO_WIDE && ran.stderr.contains(&format!("hint: {hint}\n")), "{ran:?}");
}

#[test]
fn a_word_that_is_too_long_stays_whole() {
    let site = Site::new();
    let path = format!("no/{}.toml", "x".repeat(150));
    let stderr = stderr(&mut site.command(&["check", "--config", &path]));
    assert_eq!(stderr.lines().next(), Some("error:"), "{stderr}");
    assert!(stderr.contains(&format!("\n    {path}:\n    there is no such file")), "{stderr}");
    let ran = site.run(&["check", "--config", &path]).expect_exit(2);
    assert!(ran.stderr.starts_with(&format!("error: {path}: there is no such file")), "{ran:?}");
}

#[test]
fn mistakes_in_the_arguments_are_broken_too() {
    let site = Site::new();
    let long = "many words ".repeat(20);
    let said = stderr(&mut site.command(&["sync", "--wait", &long]));
    assert!(said.starts_with("error: invalid value 'many words ") && said.lines().count() > 3, "{said}");
    assert_narrow(&said);
    assert_narrow(&stderr(&mut site.command(&["completions", "cmd"])));
    let forged = stderr(&mut site.command(&["a\u{1b}[31mb\nerror: forged"]));
    assert!(!forged.contains('\u{1b}'), "{forged}");
}

#[test]
fn help_and_lists_are_narrow() {
    let site = Site::new();
    assert_narrow(&site.run(&["--help"]).expect_exit(0).stdout);
    assert_narrow(&stderr(&mut site.command(&[])));
    for command in COMMANDS {
        assert_narrow(&site.run(&[command, "--help"]).expect_exit(0).stdout);
        assert_narrow(&site.run(&[command, "-h"]).expect_exit(0).stdout);
    }
    let list = site.run(&["providers"]).expect_exit(0).stdout;
    assert_narrow(&list);
    for provider in list.lines().filter(|line| !line.is_empty() && !line.starts_with(' ')) {
        assert_narrow(&site.run(&["providers", provider]).expect_exit(0).stdout);
    }
    assert_narrow(&site.run(&["init", "exec", "aws-secrets-manager"]).expect_exit(0).stdout);
    assert_narrow(&std::fs::read_to_string(site.path().join("secretdir.toml")).unwrap());
}
