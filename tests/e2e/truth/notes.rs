//! What is noted about a set: where its files came from, who published it, and whether its command has succeeded.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use super::files;
use crate::support::{HEAD, Ran, Site};

#[test]
fn the_status_says_where_the_files_came_from_although_no_byte_has_changed() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    fs::create_dir(site.path().join("other")).unwrap();
    fs::write(site.path().join("other/a"), "1").unwrap();
    let source = "[sources.moved]\nprovider = \"file\"\nroot = \"other\"\n";
    let before = site.fingerprint();
    site.config(&format!("{HEAD}{source}\n[files]\na = {{ source = \"moved\", secret = \"a\" }}\n"));
    assert!(site.sync().stdout.starts_with("unchanged"));
    assert_eq!(site.fingerprint(), before, "nothing has moved in the directory");
    let status = site.run(&["status", "--json"]).expect_exit(0).json();
    let secret = &status["generation"]["files"][0]["secrets"][0];
    assert_eq!((secret["source"].as_str(), secret["secret_name"].as_str()), (Some("moved"), Some("a")));
}

#[test]
fn a_renewed_note_keeps_what_it_says_of_the_command() {
    let site = Site::new();
    site.secret("a", "1");
    let config = |secret: &str| {
        site.config(&format!(
            "{HEAD}\n[on-change]\ncommand = [\"false\"]\n\n[files]\na = {{ source = \"local\", secret = {secret:?} }}\n"
        ));
    };
    config("a");
    site.run(&["sync"]).expect_exit(6);
    site.secret("b", "1");
    config("b");
    site.run(&["sync"]).expect_exit(6);
    let status = site.run(&["status", "--json"]).expect_exit(0).json();
    assert_eq!(status["generation"]["on_change"], "pending");
    assert_eq!(status["generation"]["files"][0]["secrets"][0]["secret_name"], "b");
}

/// The note that a run holds while its command runs is not replaced by another run: two would run the command at once.
#[test]
fn a_note_is_not_renewed_while_its_command_runs() {
    let site = Site::new();
    site.secret("a", "1");
    site.secret("b", "1");
    let config = |secret: &str| {
        let hook = "echo x >> told; while ! [ -e go ]; do sleep 0.05; done";
        site.config(&format!(
            "{HEAD}\n[on-change]\ncommand = [\"sh\", \"-c\", {hook:?}]\ntimeout = \"10m\"\n\n\
             [files]\na = {{ source = \"local\", secret = {secret:?} }}\n"
        ));
    };
    config("a");
    let mut command = site.command(&["sync"]);
    let first = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !site.path().join("told").exists() {
        std::thread::yield_now();
    }
    config("b");
    let second = site.run(&["sync", "--json"]).expect_exit(0);
    assert_eq!(second.json()["on_change"], "running-elsewhere", "{second:?}");
    fs::write(site.path().join("go"), "").unwrap();
    Ran::from(first.wait_with_output().unwrap()).expect_exit(0);
    assert_eq!(fs::read_to_string(site.path().join("told")).unwrap(), "x\n");
    assert!(site.sync().stdout.starts_with("unchanged"));
    let status = site.run(&["status", "--json"]).json();
    assert_eq!(status["generation"]["files"][0]["secrets"][0]["secret_name"], "b");
    assert_eq!(status["generation"]["on_change"], "succeeded");
}

#[test]
fn diff_tells_of_a_command_that_has_yet_to_succeed() {
    let site = Site::new();
    site.secret("a", "1");
    let config = |command: &str| {
        site.config(&format!(
            "{HEAD}\n[on-change]\ncommand = [{command:?}]\n\n[files]\na = {{ source = \"local\", secret = \"a\" }}\n"
        ));
    };
    config("false");
    let first = site.run(&["diff", "--json"]).expect_exit(10).json();
    assert_eq!((first["state"].as_str(), first["on_change"].as_str()), (Some("changed"), Some("pending")));
    site.run(&["sync"]).expect_exit(6);
    let pending = site.run(&["diff"]).expect_exit(10);
    assert!(pending.stdout.starts_with("no file would change at "), "{pending:?}");
    assert!(pending.stdout.contains("\npending: [on-change] has not succeeded yet"), "{pending:?}");
    let json = site.run(&["diff", "--json"]).expect_exit(10).json();
    assert_eq!((json["state"].as_str(), json["on_change"].as_str()), (Some("pending"), Some("pending")));
    config("true");
    site.sync();
    let json = site.run(&["diff", "--json"]).expect_exit(0).json();
    assert_eq!((json["state"].as_str(), json["on_change"].as_str()), (Some("unchanged"), Some("not-needed")));
    // Without a command nothing is pending for ever.
    config("false");
    site.secret("a", "2");
    site.run(&["sync"]).expect_exit(6);
    site.config(&files("a = { source = \"local\", secret = \"a\" }"));
    assert_eq!(site.run(&["status", "--json"]).json()["generation"]["on_change"], "pending");
    site.sync();
    assert_eq!(site.run(&["status", "--json"]).json()["generation"]["on_change"], "not-configured");
}

#[test]
fn two_configurations_with_one_link_are_warned_of_and_the_status_names_the_last() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    fs::write(site.path().join("twin.toml"), &config).unwrap();
    let first = format!("the configuration `{}`", site.path().join("secretdir.toml").display());
    assert!(site.run(&["status"]).stdout.contains(&format!("\npublished by: {first}")));
    assert_eq!(site.sync().stderr, "");
    let ran = site.run(&["sync", "--config", "twin.toml"]).expect_exit(0);
    assert!(ran.stderr.contains(&format!("was published by {first}: if both continue")), "{ran:?}");
    let status = site.run(&["status", "--json"]).json();
    assert!(
        status["generation"]["publisher"]["config"].as_str().unwrap().ends_with("/twin.toml"),
        "{status}"
    );
    assert_eq!(site.run(&["sync", "--config", "twin.toml"]).expect_exit(0).stderr, "");
    // The same file, by other names of its folder.
    symlink(site.path(), site.path().join("here")).unwrap();
    for name in ["./source/../twin.toml", "here/twin.toml"] {
        assert_eq!(site.run(&["sync", "--config", name]).expect_exit(0).stderr, "", "{name}");
    }
    fs::write(site.path().join("twin.toml"), config + "\n[profiles.p.directory]\nretain = \"1s\"\n").unwrap();
    let ran = site.run(&["sync", "--config", "twin.toml", "--profile", "p"]).expect_exit(0);
    assert!(ran.stderr.replace("\n    ", " ").contains("twin.toml` without a profile: if both"), "{ran:?}");
}
