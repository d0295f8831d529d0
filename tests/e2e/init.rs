//! `init`: a configuration to begin with.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::{COMMAND, Ran, Site};

const BUILTINS: [&str; 7] =
    ["aws-parameter-store", "aws-secrets-manager", "env", "exec", "file", "http", "vault"];

/// Writes a configuration for these sources, and returns it.
fn init(site: &Site, sources: &[&str]) -> String {
    let path = site.path().join("secretdir.toml");
    drop(fs::remove_file(&path));
    let ran = site.run(&[&["init"], sources].concat()).expect_exit(0);
    assert!(ran.stdout.contains(path.to_str().unwrap()) && ran.stderr.is_empty(), "{ran:?}");
    fs::read_to_string(path).unwrap()
}

/// Makes the examples of files a part of the configuration.
fn with_files(text: &str) -> String {
    let is_example = |line: &str| line.contains("= { source = ");
    let lines =
        text.lines().map(|line| line.strip_prefix("# ").filter(|rest| is_example(rest)).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_it_writes_is_good_for_each_provider_and_for_all_together() {
    let site = Site::new();
    for sources in BUILTINS.iter().map(std::slice::from_ref).chain([&BUILTINS[..]]) {
        let text = init(&site, sources);
        site.run(&["check"]).expect_exit(0);
        site.config(&with_files(&text));
        let ran = site.run(&["check", "--json"]).expect_exit(0);
        let counts = (ran.json()["file_count"].as_u64(), ran.json()["source_count"].as_u64());
        assert_eq!(counts, (Some(sources.len() as u64), Some(sources.len() as u64)), "{text}");
        assert_eq!(ran.json()["warnings"], serde_json::json!([]), "{text}");
    }
}

#[test]
fn it_has_every_key_of_the_schemas_with_what_they_say() {
    let site = Site::new();
    let text = init(&site, &BUILTINS);
    let schema = site.run(&["schema"]).json();
    let sections = ["directory", "on-change", "gather"].map(|name| &schema["properties"][name]);
    let providers = site.run(&["providers", "--json"]).json();
    let settings = providers["providers"].as_array().unwrap().iter().map(|one| &one["settings"]);
    let words = text.lines().map(|line| line.trim_start_matches("# ")).collect::<Vec<_>>().join(" ");
    for table in sections.into_iter().chain(settings) {
        for (key, property) in table["properties"].as_object().unwrap() {
            let there = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
            assert!(text.lines().any(there), "{key}: {text}");
            let description = property["description"].as_str().unwrap().replace('\n', " ");
            assert!(words.contains(&description), "{key}: {text}");
        }
    }
    for line in [
        "path = \"secrets/app\"",
        "# mode = \"0700\"",
        "# [on-change]",
        "# timeout = \"60s\"",
        "# prefix = \"\"",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
}

#[test]
fn sources_have_names_of_their_own() {
    let site = Site::new();
    let text = init(&site, &["prod=file", "dev_1=file", "env"]);
    let tables: toml::Table = toml::from_str(&text).unwrap();
    let names: Vec<_> = tables["sources"].as_table().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(["dev_1", "env", "prod"]));
}

#[test]
fn every_mistake_is_told_and_nothing_written() {
    let site = Site::new();
    let ran = site.run(&["init", "fil", "a b=env", "=env", "env", "env", "x=env=y"]).expect_exit(2);
    let errors: Vec<_> = ran.stderr.lines().collect();
    let starts = [
        "error: there is no provider `fil`; did you mean `file`? known: ",
        "error: `a b` is not a valid name for a source",
        "error: `` is not a valid name for a source",
        "error: two sources would have the name `env`",
        "hint: give each source its own name: NAME=PROVIDER",
        "error: there is no provider `env=y`",
    ];
    assert_eq!(errors.len(), starts.len(), "{ran:?}");
    assert!(errors.iter().zip(starts).all(|(error, start)| error.starts_with(start)), "{ran:?}");
    site.run(&["init"]).expect_exit(2).expect_error(&[
        "no source is named",
        "`aws-parameter-store`, ",
        "hint: ",
    ]);
    assert!(!site.path().join("secretdir.toml").exists());
}

#[test]
fn what_is_there_is_left_alone() {
    let site = Site::new();
    site.config("mine");
    let ran = site.run(&["init", "env"]).expect_exit(2);
    let ran = ran.expect_error(&["secretdir.toml` already exists, and was not changed", "hint: "]);
    assert!(ran.stdout.is_empty());
    std::os::unix::fs::symlink("nowhere", site.path().join("link")).unwrap();
    site.run(&["init", "env", "--config", "link"]).expect_exit(2).expect_error(&["already exists"]);
    assert_eq!(fs::read_to_string(site.path().join("secretdir.toml")).unwrap(), "mine");
    assert!(!site.path().join("nowhere").exists());

    let ran = site.run(&["init", "env", "--json", "--config", "no/such.toml"]).expect_exit(2);
    assert_eq!((&ran.json()["state"], &ran.json()["exit_code"]), (&"failed".into(), &2.into()));
    let ran = ran.expect_error(&["`no/such.toml` cannot be written", "hint: make its folder first"]);
    assert!(!ran.stderr.contains("left alone"), "{ran:?}");
}

#[test]
fn what_cannot_be_written_whole_is_not_there() {
    let site = Site::new();
    let mut shell = Command::new("sh");
    // One block of 512 or 1024 bytes, and no signal to whoever writes more.
    site.prepare(shell.args(["-c", "trap '' XFSZ; ulimit -f 1; exec $1 init file", "sh", COMMAND]));
    Ran::of(&mut shell).expect_exit(1).expect_error(&["secretdir.toml` cannot be written: File too large"]);
    assert!(!site.path().join("secretdir.toml").exists());
}

#[test]
fn its_mode_is_that_of_the_user_and_its_answer_may_be_json() {
    let site = Site::new();
    for (umask, mode) in [("022", 0o644), ("027", 0o640), ("000", 0o666)] {
        let mut shell = Command::new("sh");
        site.prepare(shell.args(["-c", "umask $1; exec $2 init env --json", "sh", umask, COMMAND]));
        let path = site.path().join("secretdir.toml");
        assert_eq!(Ran::of(&mut shell).expect_exit(0).json()["config"], path.to_str().unwrap());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{umask}");
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn what_it_says_of_looking_the_configuration_through_works() {
    let site = Site::new();
    let ran = site.run(&["init", "env", "--config", "other.toml"]).expect_exit(0);
    assert!(ran.stdout.contains("\n`secretdir check` with the same `--config` validates it"), "{ran:?}");
    let ran = site.run(&["init", "env", "--config", "secretdir.toml"]).expect_exit(0);
    assert!(ran.stdout.contains("; `secretdir check` validates it"), "{ran:?}");
}
