//! What a person is told to do about a program that cannot be started, or that has failed.

use std::fs;

use secretdir_provider::Table;
use tempfile::TempDir;

use crate::support::{ask, ask_in, context, list, plugin, shell, story, table};

/// A folder with an executable script.
fn script(text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("tool");
    secretdir_testkit::write_program(&file, text);
    folder
}

fn command(program: &str) -> Table {
    table([("command", list(&[program, "{secret}"]))])
}

fn both(program: &str) -> [Table; 2] {
    [command(program), table([("plugin", list(&[program]))])]
}

#[test]
fn a_script_whose_interpreter_is_not_there_says_which() {
    for (text, cause, hint) in [
        ("#!/bin/sh\r\necho x\r\n", r#"its interpreter `/bin/sh\r` was not found"#, "Unix line ends"),
        ("#! /no/such -x\necho", r#"its interpreter `/no/such` was not found"#, "correct its first line"),
    ] {
        let folder = script(text);
        for settings in both("./tool") {
            let told = story(&ask_in(&context(), settings, folder.path(), &["a"])[0]);
            assert!(told.starts_with(&format!("unavailable: cannot start `./tool`: {cause}")), "{told}");
            assert!(told.contains(hint), "{told}");
        }
    }
}

/// Here the kernel finds the interpreter, which does not find what it is to run.
#[test]
fn a_script_with_carriage_returns_says_so_when_it_fails() {
    for text in ["#!/usr/bin/env sh\r\necho x\r\n", "#!/bin/sh -e\r\necho x\r\n"] {
        let folder = script(text);
        for settings in both("./tool") {
            let told = story(&ask_in(&context(), settings, folder.path(), &["a"])[0]);
            assert!(told.starts_with("failed: `./tool` failed: exit status"), "{told}");
            assert!(told.contains("Unix line ends"), "{told}");
        }
    }
}

#[test]
fn a_script_without_its_first_line_says_what_that_is() {
    let folder = script("echo x\n");
    for settings in both("./tool") {
        let told = story(&ask_in(&context(), settings, folder.path(), &["a"])[0]);
        assert!(told.contains("#!/bin/sh"), "{told}");
    }
}

#[test]
fn a_program_that_is_not_there_says_where_it_was_looked_for() {
    for (program, hint) in [
        ("no-such-tool", "only HOME and PATH"),
        ("no-such-tool", "./tool beside the configuration file"),
        ("./no-such-tool", "starts at the folder of the configuration file"),
        ("vault kv get", "no shell splits a command"),
    ] {
        for settings in both(program) {
            let told = story(&ask(settings, &["a"])[0]);
            assert!(
                told.starts_with(&format!("unavailable: cannot start `{program}`: No such file")),
                "{told}"
            );
            assert!(told.contains(hint), "{told}");
        }
    }
    let mut settings = command("no-such-tool");
    settings.insert("environment".to_owned(), list(&["HOME"]));
    let told = story(&ask(settings, &["a"])[0]);
    assert!(told.contains("`environment` does not include PATH"), "{told}");
}

#[test]
fn a_name_with_a_blank_is_a_program_if_there_is_such_a_file() {
    let folder = script("#!/bin/sh\nprintf value");
    fs::rename(folder.path().join("tool"), folder.path().join("my tool")).unwrap();
    let answers = ask_in(&context(), command("./my tool"), folder.path(), &["a"]);
    assert_eq!(answers[0].as_ref().unwrap().expose_secret(), b"value");
}

#[test]
fn a_program_that_lacks_a_variable_is_told_how_to_get_it() {
    for (said, name) in [
        ("VAULT_ADDR is not set", "VAULT_ADDR"),
        ("missing required environment variable: OP_SERVICE_ACCOUNT_TOKEN", "OP_SERVICE_ACCOUNT_TOKEN"),
        ("sh: 1: USER: parameter not set", "USER"),
        ("TERM environment variable not set.", "TERM"),
        ("KeyError: OP_SESSION", "OP_SESSION"),
        ("VAULT_TOKEN: parameter null", "VAULT_TOKEN"),
        // The test runner has this one.
        ("where is CARGO_MANIFEST_DIR?", "CARGO_MANIFEST_DIR"),
    ] {
        let hint = format!(
            "it did not get `{name}`, only HOME, PATH: add the variables that it needs to `environment`"
        );
        let told = story(&ask(shell(&format!("echo '{said}' >&2; exit 1")), &["a"])[0]);
        assert!(told.ends_with(&format!("({hint})")), "{told}");
        let told = story(&ask(plugin(&format!("sys.exit('{said}')")), &["a"])[0]);
        assert!(told.ends_with(&format!("({hint})")), "{told}");
        // It is no reason to take nothing for a value, unless nothing is said to be missing.
        let told = story(&ask(shell(&format!("echo '{said}' >&2")), &["a"])[0]);
        let hint = if said.starts_with("where is") { "if the value may be empty" } else { &hint };
        assert!(told.contains("printed nothing") && told.contains(&format!("({hint}")), "{told}");
    }
    for said in [
        "{data: null, code: NOT_FOUND}",
        "no such entry",
        "PERMISSION_DENIED: no",
        "cannot set HOME",
        "PATH is not set",
        "A_B",
    ] {
        let told = story(&ask(shell(&format!("echo '{said}' >&2; exit 1")), &["a"])[0]);
        assert!(told.ends_with(said), "{told}");
    }
    let told = story(&ask(shell("echo 'note: SSH_AUTH_SOCK ignored' >&2"), &["a"])[0]);
    assert!(told.contains("set `allow-empty = true`"), "{told}");
    let mut settings = shell("echo 'USER is unset, and VAULT_ADDR' >&2; exit 1");
    settings.insert("environment".to_owned(), list(&["PATH", "USER"]));
    let told = story(&ask(settings, &["a"])[0]);
    assert!(told.contains("it did not get `VAULT_ADDR`, only PATH, USER"), "{told}");
}
