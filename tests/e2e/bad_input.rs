//! Bad input: each a clear error, and nothing changed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::{COMMAND, HEAD, OTHER_USER, Ran, Site, is_root};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_link_path_that_is_something_else_is_left_alone() {
    type Plant = fn(&Path);
    let cases: [(&str, Plant); 3] = [
        ("it is a regular file, not a symbolic link", |link| fs::write(link, "precious").unwrap()),
        ("it is a directory, not a symbolic link", |link| {
            fs::create_dir(link).unwrap();
            fs::write(link.join("precious"), "precious").unwrap();
        }),
        ("it points to `/etc`, which is not one of its generations", |link| symlink("/etc", link).unwrap()),
    ];
    for (expected, plant) in cases {
        let site = Site::with_secrets(&[("a", b"1")]);
        fs::create_dir(site.path().join("out")).unwrap();
        plant(&site.link());
        let before = fs::symlink_metadata(site.link()).unwrap();
        let ran = site.run(&["sync"]).expect_exit(4);
        ran.expect_error(&["error: cannot publish at ", "step 3", expected, "hint: move it away"]);
        let after = fs::symlink_metadata(site.link()).unwrap();
        assert_eq!(
            (after.file_type(), after.modified().unwrap()),
            (before.file_type(), before.modified().unwrap())
        );
        assert_eq!(site.names(), ["app", "state/lock"]);
    }
}

#[test]
fn a_parent_that_everyone_can_write_to_is_refused() {
    let site = Site::with_secrets(&[("a", b"1")]);
    fs::create_dir(site.path().join("out")).unwrap();
    set_mode(&site.path().join("out"), 0o777);
    for command in ["check", "sync"] {
        let ran = site.run(&[command]).expect_exit(4);
        ran.expect_error(&[
            "everyone can write to the directory (owner ",
            "mode 0777",
            "hint: publish below ",
        ]);
        assert!(site.names().is_empty());
    }
}

#[test]
fn a_parent_that_a_group_can_write_to_is_refused_unless_only_the_runner_is_in_it() {
    if !is_root("a_parent_that_a_group_can_write_to_is_refused_unless_only_the_runner_is_in_it") {
        return;
    }
    let site = Site::with_secrets(&[("a", b"1")]);
    let out = site.path().join("out");
    fs::create_dir(&out).unwrap();
    set_mode(&out, 0o775);
    site.sync();
    chown(&out, None, Some(OTHER_USER)).unwrap();
    set_mode(&out, 0o775);
    for command in ["check", "sync"] {
        site.run(&[command])
            .expect_exit(4)
            .expect_error(&["(65534) can write to the directory", "mode 0775"]);
    }
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("[directory]", "[directory]\nparents = \"trusted\""));
    site.sync();
}

#[test]
fn a_parent_that_is_a_file_is_named() {
    let site = Site::with_secrets(&[("a", b"1")]);
    fs::write(site.path().join("out"), "precious").unwrap();
    site.run(&["sync"]).expect_exit(4).expect_error(&["/out` (step 1", "Not a directory", "hint: "]);
    assert_eq!(fs::read(site.path().join("out")).unwrap(), b"precious");
}

#[test]
fn a_parent_that_is_read_only_is_named() {
    if !is_root("a_parent_that_is_read_only_is_named") {
        return;
    }
    let site = Site::with_secrets(&[("a", b"1")]);
    fs::create_dir(site.path().join("out")).unwrap();
    let script = "mount --bind out out && mount -o remount,ro,bind out && exec \"$COMMAND\" sync";
    let mut command = Command::new("unshare");
    site.prepare(command.args(["--mount", "sh", "-c", script]));
    let ran = Ran::of(command.env("COMMAND", COMMAND)).expect_exit(4);
    ran.expect_error(&["Read-only file system", "hint: the filesystem is mounted read-only"]);
    assert!(site.names().is_empty());
}

#[test]
fn missing_parents_are_made() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("out/app", "out/x/y/app"));
    site.sync();
    assert_eq!(fs::read(site.path().join("out/x/y/app/a")).unwrap(), b"1");
}

#[test]
fn an_empty_files_table_is_an_empty_directory() {
    let site = Site::new();
    site.config(&format!("{HEAD}\n[files]\n"));
    assert!(site.sync().stdout.starts_with("published 0 files"));
    assert_eq!(fs::read_dir(site.link()).unwrap().count(), 0);
    assert!(site.sync().stdout.starts_with("unchanged"));
}

#[test]
fn what_fails_to_be_gathered_leaves_the_published_set_as_it_is() {
    let site = Site::new();
    site.secret("good", r#"{"password": "canary-good"}"#);
    site.secret("text", "canary-text is not JSON");
    let entry = |name: &str, rest: &str| format!("{name:?} = {{ source = \"local\", {rest} }}\n");
    let config = |entries: &str| format!("{HEAD}\n[files]\n{}{entries}", entry("ok", "secret = \"good\""));
    site.config(&config(""));
    site.sync();
    let before = site.fingerprint();

    site.config(&config(
        &[
            entry("not-json", "secret = \"text\", field = \"password\""),
            entry("no-field", "secret = \"good\", field = \"passwort\""),
            entry("one", "secret = \"missing\""),
        ]
        .concat(),
    ));
    let ran = site.run(&["sync"]).expect_exit(3);
    assert!(ran.stderr.contains("file `one`: secret `missing` of source `local`: not found"), "{ran:?}");
    site.secret("missing", "now there");
    let ran = site.run(&["sync"]).expect_exit(3).expect_error(&[
        "file `not-json`: secret `text` of source `local`",
        "not JSON",
        "file `no-field`: secret `good` of source `local`",
        "`passwort`",
    ]);
    assert!(!ran.stderr.contains("canary"), "{ran:?}");
    assert_eq!(site.fingerprint(), before);
}
