//! Nothing that a name holds steers a terminal, forges a line or hides what is around it, in no output of any command.

use std::fs;

use crate::support::{HEAD, Ran, Site};

/// A name with all kinds of characters that must not be printed, as a TOML string and as it is.
const EVIL_TOML: &str = "a\\u001b[31m\\r\\u007f\\u009b\\u202e\\u2066\\u200b\\u2028\\u061c\\nerror: forged";
const EVIL: &str = "a\u{1b}[31m\r\u{7f}\u{9b}\u{202e}\u{2066}\u{200b}\u{2028}\u{61c}\nerror: forged";
const ESCAPED: &str = r"a\u{1b}[31m\r\u{7f}\u{9b}\u{202e}\u{2066}\u{200b}\u{2028}\u{61c}\nerror: forged";

/// Asserts that neither output has such a character, nor a line that a name has made.
#[track_caller]
fn assert_harmless(ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        let forged = text.lines().any(|line| line.trim_start().starts_with("error: forged"));
        assert!(!forged && !text.replace('\n', "").contains(is_evil), "{ran:?}");
    }
}

fn is_evil(c: char) -> bool {
    c.is_control() || EVIL.chars().filter(|c| !c.is_ascii()).any(|evil| evil == c)
}

/// Runs a command as it is, and with `--json` and `-vv`. Returns how the first ended.
#[track_caller]
fn run(site: &Site, arguments: &[&str], code: i32) -> Ran {
    let ran = site.run(arguments).expect_exit(code);
    assert_harmless(&ran);
    for more in ["--json", "-vv"] {
        let mut arguments = arguments.to_vec();
        arguments.insert(1, more);
        assert_harmless(&site.run(&arguments));
    }
    ran
}

#[test]
fn a_file_that_somebody_puts_into_the_generation_is_named_harmlessly() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    fs::write(site.link().join(EVIL), "").unwrap();
    fs::create_dir(site.link().join(format!("d{EVIL}"))).unwrap();
    let ran = run(&site, &["diff"], 10);
    assert!(ran.stdout.contains(&format!("removed    {ESCAPED}")), "{ran:?}");
    let ran = run(&site, &["status"], 0);
    assert!(ran.stdout.contains(ESCAPED), "{ran:?}");
    let json = site.run(&["diff", "--json"]).json();
    let names: Vec<_> = json["changes"].as_array().unwrap().iter().map(|change| &change["name"]).collect();
    assert!(names.contains(&&EVIL.into()), "{json}");
    assert_harmless(&site.run(&["sync", "--json"]).expect_exit(0));
}

#[test]
fn the_path_of_the_link_is_printed_harmlessly() {
    let site = Site::new();
    site.secret("a", "1");
    let config = format!("{HEAD}\n[files]\n\"a\" = {{ source = \"local\", secret = \"a\" }}\n");
    site.config(&config.replace("out/app", &format!("{EVIL_TOML}/app")));
    let path = format!("{ESCAPED}/app");
    for (arguments, code) in
        [(&["check"][..], 0), (&["check", "--fetch"], 0), (&["check", "--all-profiles"], 0), (&["status"], 0)]
    {
        let ran = run(&site, arguments, code);
        assert!(ran.stdout.contains(&path), "{ran:?}");
    }
    assert_harmless(&site.run(&["exec", "--", "true"]).expect_exit(125));
    for (arguments, code) in [(&["diff"][..], 10), (&["sync"], 0), (&["sync"], 0), (&["diff"], 0)] {
        let ran = run(&site, arguments, code);
        assert!(ran.stdout.contains(&path), "{ran:?}");
    }
    let folder = site.path().join(EVIL);
    fs::remove_file(folder.join("app")).unwrap();
    fs::create_dir(folder.join("app")).unwrap();
    let ran = run(&site, &["sync"], 4);
    assert!(ran.stderr.contains(&path), "{ran:?}");
}

#[test]
fn the_path_of_the_configuration_is_printed_harmlessly() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let path = site.path().join(EVIL);
    fs::write(&path, &config).unwrap();
    site.run(&["sync", "--config", EVIL]).expect_exit(0);
    let ran = run(&site, &["status", "--config", EVIL], 0);
    assert!(ran.stdout.contains(ESCAPED), "{ran:?}");
    // Another configuration publishes to the same link, which it is warned of by the name of the first.
    site.secret("a", "2");
    assert!(run(&site, &["sync"], 0).stderr.contains(ESCAPED));
    assert_harmless(&site.run(&["init", "env", "--config", EVIL]).expect_exit(2));
    assert_harmless(&site.run(&["init", "env", "--config", &format!("2{EVIL}")]).expect_exit(0));
    fs::write(&path, "[files\n").unwrap();
    run(&site, &["check", "--config", EVIL], 2);
}

#[test]
fn names_of_sources_secrets_and_profiles_are_printed_harmlessly() {
    let site = Site::new();
    site.secret("a", "1");
    let entry = format!("\"a\" = {{ source = \"local\", secret = \"{EVIL_TOML}\" }}\n");
    site.config(&format!(
        "{HEAD}\n[profiles.\"{EVIL_TOML}\"]\ngather.timeout = \"9s\"\n\n[files]\n{entry}\"{EVIL_TOML}\" = {{}}\n"
    ));
    run(&site, &["check"], 2);
    run(&site, &["check", "--all-profiles"], 2);
    site.config(&format!("{HEAD}\n[profiles.\"{EVIL_TOML}\"]\n\n[files]\n{entry}"));
    run(&site, &["check", "--all-profiles"], 0);
    run(&site, &["sync"], 3);
    run(&site, &["sync", "--profile", EVIL], 3);
    run(&site, &["sync", "--config", EVIL], 2);
    run(&site, &["sync", EVIL], 2);
    run(&site, &["man", &format!("/dev/null/{EVIL}")], 2);
    assert_harmless(&site.run(&["exec", "--", EVIL]).expect_exit(125));
}

#[test]
fn what_a_plug_in_says_is_printed_harmlessly() {
    let site = Site::new();
    let evil = serde_json::to_string(EVIL).unwrap();
    let answers = format!(
        r#"{{"protocol": 1}}
{{"id": 0, "value": "1", "revision": {evil}, "origin": {evil}, "warning": {evil}}}
{{"warning": {evil}}}"#
    );
    fs::write(site.path().join("answers"), answers).unwrap();
    let script = site.path().join("plugin");
    secretdir_testkit::write_program(&script, "#!/bin/sh\ncat answers\ncat >/dev/null\n");
    site.config(
        "[directory]\npath = \"out/app\"\n[sources.p]\nprovider = \"exec\"\nplugin = [\"./plugin\"]\n\
         [files]\na = { source = \"p\", secret = \"a\" }\n",
    );
    for arguments in [&["check", "--fetch"][..], &["diff"], &["sync"], &["status"]] {
        assert_harmless(&site.run(arguments));
        let mut json = arguments.to_vec();
        json.push("--json");
        assert_harmless(&site.run(&json));
    }
}
