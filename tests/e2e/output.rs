//! What is printed where.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::process::Stdio;

use crate::support::{Ran, Site};
use crate::width::COMMANDS;

#[test]
fn providers_lists_them_with_their_settings() {
    let site = Site::new();
    let ran = site.run(&["providers"]).expect_exit(0);
    for part in
        ["aws-secrets-manager\n", "  region ", "env\n  prefix ", "file\n  format ", "optional: A folder"]
    {
        assert!(ran.stdout.contains(part), "{part:?} {ran:?}");
    }
    let json = site.run(&["providers", "--json"]).expect_exit(0).json();
    let names: Vec<_> =
        json["providers"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["aws-parameter-store", "aws-secrets-manager", "env", "exec", "file", "http", "vault"]);
    assert_eq!(json["providers"][4]["settings"]["properties"]["root"]["type"], "string");
}

#[test]
fn every_command_answers_with_one_json_object() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let mut asked = BTreeSet::new();
    for (arguments, exit) in [
        (&["init", "env", "--config", "new.toml"][..], 0),
        (&["diff"], 10),
        (&["sync", "--dry-run"], 10),
        (&["sync"], 0),
        (&["check"], 0),
        (&["check", "--fetch"], 0),
        (&["check", "--all-profiles"], 0),
        (&["status"], 0),
        (&["providers"], 0),
        (&["providers", "file"], 0),
        (&["schema"], 0),
        (&["completions", "fish"], 0),
        (&["man", "man"], 0),
        // The answer of one that succeeds is the program's own.
        (&["exec", "--", "no-such-program"], 127),
    ] {
        let ran = site.run(&[&["--json"], arguments].concat()).expect_exit(exit);
        assert!(ran.json().is_object(), "{arguments:?}: {ran:?}");
        asked.insert(arguments[0]);
    }
    // A daemon has no answer.
    asked.insert("watch");
    assert_eq!(asked, BTreeSet::from(COMMANDS));
}

#[test]
fn a_failure_is_one_json_object_too() {
    let site = Site::with_secrets(&[("a", b"1")]);
    std::fs::remove_file(site.path().join("source/a")).unwrap();
    let ran = site.run(&["sync", "--json"]).expect_exit(3);
    let json = ran.json();
    assert_eq!((json["state"].as_str(), json["exit_code"].as_u64()), (Some("failed"), Some(3)));
    assert!(
        json["errors"][0]["message"].as_str().unwrap().contains("file `a`: secret `a` of source `local`"),
        "{json}"
    );
}

#[test]
fn a_hint_that_errors_share_is_told_once() {
    let site = Site::new();
    let source = |name: &str| format!("[sources.{name}]\nprovider = \"file\"\nroot = \"{name}\"\n");
    let file = |name: &str| format!("{name} = {{ source = \"{name}\", secret = \"x\" }}\n");
    let (sources, files) = (["a", "b", "c"].map(source).concat(), ["a", "b", "c"].map(file).concat());
    site.config(&format!("[directory]\npath = \"out/app\"\n{sources}[files]\n{files}"));
    let ran = site.run(&["sync"]).expect_exit(3);
    let starts: Vec<_> = ran.stderr.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(starts, ["error:", "error:", "error:", "hint:"], "{ran:?}");
    for error in site.run(&["sync", "--json"]).expect_exit(3).json()["errors"].as_array().unwrap() {
        assert!(error["hint"].is_string(), "{error}");
    }
}

#[test]
fn a_source_that_is_down_is_one_error_with_all_names() {
    let names: Vec<_> = (10..50).map(|number| format!("s{number}")).collect();
    let secrets: Vec<_> = names.iter().map(|name| (name.as_str(), &b"1"[..])).collect();
    let site = Site::with_secrets(&secrets);
    std::fs::remove_dir_all(site.path().join("source")).unwrap();
    let ran = site.run(&["sync", "--json"]).expect_exit(3);
    let json = ran.json();
    let errors = json["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{json:#}");
    assert_eq!((&errors[0]["kind"], &errors[0]["source"]), (&"unavailable".into(), &"local".into()));
    let names = serde_json::json!(names);
    assert_eq!((&errors[0]["secret_names"], &errors[0]["file_names"]), (&names, &names));
    ran.expect_error(&[
        "error: files `s10`, `s11`, ",
        " and 21 more: secrets `s10`, `s11`, ",
        " and 21 more of source `local`: unavailable: ",
    ]);
}

#[test]
fn a_mistake_in_the_arguments_is_an_object_too() {
    let site = Site::new();
    for (arguments, exit) in [
        (&["--json", "snyc"][..], 2),
        (&["sync", "--json", "--wait", "x"], 2),
        (&["status", "--json", "--quiet"], 2),
        (&["exec", "--json"], 125),
    ] {
        let ran = site.run(arguments).expect_exit(exit);
        let json = ran.json();
        assert_eq!(
            (&json["exit_code"], &json["errors"][0]["kind"]),
            (&exit.into(), &"usage".into()),
            "{ran:?}"
        );
        assert!(ran.stderr.contains(json["errors"][0]["message"].as_str().unwrap()), "{ran:?}");
    }
    assert_eq!(site.run(&["exec", "-x", "--", "echo", "--json"]).expect_exit(125).stdout, "");
}

#[test]
fn usage_errors_are_exit_2_and_help_is_0() {
    let site = Site::new();
    site.run(&["synk"]).expect_exit(2).expect_error(&["sync"]);
    site.run(&["sync", "--wait", "soon"]).expect_exit(2).expect_error(&["expected a duration such as"]);
    let help = site.run(&["--help"]).expect_exit(0);
    assert!(help.stdout.contains("5  busy: another run holds the lock"), "{help:?}");
    site.run(&["sync", "--config", "nowhere.toml"])
        .expect_exit(2)
        .expect_error(&["nowhere.toml: there is no such file"]);
}

#[test]
fn nobody_listening_changes_nothing() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let mut child = site.command(&["sync"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    Ran::from(child.wait_with_output().unwrap()).expect_exit(0);
    assert_eq!(site.read("a"), b"1");
    for arguments in
        [&["status"][..], &["schema"], &["diff", "--json"], &["completions", "bash"], &["--help"]]
    {
        let mut child =
            site.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = Ran::from(child.wait_with_output().unwrap()).expect_exit(0);
        assert_eq!(ran.stderr, "", "{arguments:?}");
    }
}

/// What a command is told that cannot write its result.
const FULL: &str = "error: standard output cannot be written: No space left on device";

fn on_a_full_disk(site: &Site, arguments: &[&str]) -> Ran {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    Ran::from(site.command(arguments).stdout(full).output().unwrap())
}

#[test]
fn a_result_that_cannot_be_written_is_told_and_is_a_failure() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let mut asked = BTreeSet::from(["sync", "watch", "exec"]);
    for arguments in [
        &["init", "env", "--config", "new.toml"][..],
        &["diff"],
        &["sync", "--dry-run"],
        &["check"],
        &["check", "--fetch"],
        &["check", "--all-profiles"],
        &["status"],
        &["providers"],
        &["providers", "file"],
        &["schema"],
        &["completions", "fish"],
        &["man", "man"],
        &["--help"],
        &["--version"],
        &["diff", "--help"],
    ] {
        let ran = on_a_full_disk(&site, arguments).expect_exit(1).expect_error(&[FULL]);
        assert_eq!(ran.stderr.lines().count(), 1, "{arguments:?}: {ran:?}");
        drop(std::fs::remove_file(site.path().join("new.toml")));
        on_a_full_disk(&site, &[&["--json"], arguments].concat()).expect_exit(1).expect_error(&[FULL]);
        drop(std::fs::remove_file(site.path().join("new.toml")));
        asked.insert(arguments[0]);
    }
    assert!(COMMANDS.iter().all(|command| asked.contains(command)), "{asked:?}");
}

#[test]
fn how_a_run_or_a_failure_ended_is_told_by_the_exit_code_all_the_same() {
    let site = Site::with_secrets(&[("a", b"1")]);
    for arguments in [&["sync"][..], &["sync", "--json"]] {
        on_a_full_disk(&site, arguments).expect_exit(0).expect_error(&[FULL]);
        assert_eq!(site.read("a"), b"1");
    }
    on_a_full_disk(&site, &["exec", "--json", "--", "no-such"]).expect_exit(127).expect_error(&[FULL]);
    std::fs::remove_file(site.path().join("source/a")).unwrap();
    for command in ["sync", "diff"] {
        let ran = on_a_full_disk(&site, &[command, "--json"]).expect_exit(3);
        ran.expect_error(&[FULL, "error: file `a`: "]);
        assert!(!on_a_full_disk(&site, &[command]).expect_exit(3).stderr.contains(FULL));
    }
}

#[test]
fn traces_name_the_steps_and_go_to_standard_error() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let ran = site.run(&["sync", "-v", "--json"]).expect_exit(0);
    assert_eq!(ran.json()["state"], "published");
    for step in ["step=2", "step=6", "step=8", "step=9"] {
        assert!(ran.stderr.contains(step), "{step} {ran:?}");
    }
}

#[test]
fn a_path_that_is_not_utf8_is_printed_and_a_name_cannot_steer_a_terminal() {
    use std::os::unix::ffi::OsStrExt;

    let site = Site::with_secrets(&[("a", b"1")]);
    let folder = site.path().join(std::ffi::OsStr::from_bytes(b"x\xff"));
    std::fs::create_dir(&folder).unwrap();
    let config = std::fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    std::fs::write(folder.join("secretdir.toml"), config.replace("\"source\"", "\"../source\"")).unwrap();
    for (command, state) in [("check", "ok"), ("sync", "published"), ("sync", "unchanged")] {
        let mut command = site.command(&[command, "--json"]);
        let ran = Ran::of(command.env("SECRETDIR_CONFIG", folder.join("secretdir.toml"))).expect_exit(0);
        assert_eq!(ran.json()["state"], state);
    }

    let forged = "x\\u001b[31m\\nerror: forged";
    site.config(&config.replace("secret = \"a\"", &format!("secret = \"{forged}\"")));
    let ran = site.run(&["sync"]);
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stderr.contains("\nerror: forged"), "{ran:?}");
}

#[test]
fn warnings_of_the_configuration_are_in_the_outcome_and_told_once() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = std::fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("path = \"out/app\"", "path = \"out/app\"\nfile-mode = \"0440\""));
    let ran = site.run(&["sync", "--json"]).expect_exit(0);
    assert_eq!(ran.json()["warnings"].as_array().unwrap().len(), 1);
    assert_eq!(ran.stderr.matches("warning: ").count(), 1, "{ran:?}");
}
