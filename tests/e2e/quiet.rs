//! `--quiet`: nothing on success, so that cron sends no mail.

use std::fs;

use crate::support::{Site, on_a_terminal};

#[test]
fn what_succeeds_prints_nothing_and_ends_as_ever() {
    let site = Site::with_secrets(&[("a", b"1")]);
    for (arguments, exit) in [
        (&["diff"][..], 10),
        (&["check"], 0),
        (&["check", "--fetch"], 0),
        (&["check", "--all-profiles"], 0),
        (&["sync"], 0),
        (&["sync"], 0),
        (&["diff"], 0),
        (&["sync", "--dry-run"], 0),
        (&["status"], 0),
        (&["init", "env", "--config", "new.toml"], 0),
        (&["man", "man"], 0),
    ] {
        let ran = site.run(&[arguments, &["-q"]].concat()).expect_exit(exit);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "{arguments:?}");
    }
    assert_eq!(site.read("a"), b"1");
    assert!(site.path().join("new.toml").exists() && site.path().join("man/man1/secretdir.1").exists());
}

#[test]
fn a_terminal_shows_nothing_either() {
    let site = Site::with_secrets(&[("a", b"1")]);
    assert!(on_a_terminal(&site, &["sync"], &[]).expect_exit(0).stdout.contains("published 1 file"));
    site.secret("a", "2");
    assert_eq!(on_a_terminal(&site, &["sync", "--quiet"], &[]).expect_exit(0).stdout, "");
    assert_eq!(site.read("a"), b"2");
}

#[test]
fn what_a_command_is_for_is_printed() {
    let site = Site::new();
    for arguments in [
        &["providers"][..],
        &["providers", "file"],
        &["schema"],
        &["schema", "--output"],
        &["completions", "fish"],
    ] {
        let quiet = site.run(&[&["--quiet"], arguments].concat()).expect_exit(0);
        assert_eq!(quiet.stdout, site.run(arguments).stdout, "{arguments:?}");
    }
}

#[test]
fn warnings_and_errors_are_printed() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let loose = config.replace("path = \"out/app\"", "path = \"out/app\"\nfile-mode = \"0440\"");
    site.config(&loose);
    let ran = site.run(&["sync", "-q"]).expect_exit(0);
    assert!(
        ran.stdout.is_empty() && ran.stderr.starts_with("warning: ") && ran.stderr.lines().count() == 1,
        "{ran:?}"
    );
    site.config(&format!("{config}[on-change]\ncommand = [\"false\"]\n"));
    site.secret("a", "2");
    let late = site.run(&["sync", "-q"]).expect_exit(6);
    assert!(late.stdout.is_empty() && late.stderr.contains("error: the on-change command"), "{late:?}");
    fs::remove_file(site.path().join("source/a")).unwrap();
    let failed = site.run(&["sync", "-q"]).expect_exit(3);
    assert!(failed.stdout.is_empty() && failed.stderr.starts_with("error: file `a`"), "{failed:?}");
}

#[test]
fn it_goes_neither_with_json_nor_with_more_words() {
    let site = Site::with_secrets(&[("a", b"1")]);
    for arguments in [
        ["-q", "--json", "sync"],
        ["-q", "sync", "--json"],
        ["--json", "sync", "-q"],
        ["sync", "-q", "-v"],
        ["-v", "sync", "-q"],
        ["-q", "sync", "-vv"],
    ] {
        let ran = site.run(&arguments).expect_exit(2).expect_error(&["'--quiet' cannot be used with '--"]);
        // With `--json` a mistake is an object, on standard output.
        assert_eq!(ran.stdout.is_empty(), !arguments.contains(&"--json"), "{arguments:?}");
    }
    site.run(&["-q", "exec", "-v", "--", "true"]).expect_exit(125);
}
