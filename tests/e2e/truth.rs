//! A run tells the truth: of the configuration that it published, of what its sources warned of, of where the files came
//! from, and of what happened to the directory in the meantime.

mod machine;
mod notes;
mod waiting;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use crate::support::{COMMAND, HEAD, OTHER_USER, Ran, Site, inject, is_root};

fn files(entries: &str) -> String {
    format!("{HEAD}\n[files]\n{entries}\n")
}

/// A site with a source that runs a script when it is asked, in the middle of the run.
fn scripted(script: &str, rest: &str) -> Site {
    let site = Site::new();
    site.secret("a", "1");
    let command = format!("command = [\"sh\", \"-c\", {script:?}, \"{{secret}}\"]");
    site.config(&format!(
        "{HEAD}\n[sources.script]\nprovider = \"exec\"\nenvironment = [\"PATH\"]\n{command}\n\n[files]\n\
         a = {{ source = \"local\", secret = \"a\" }}\n\"script\" = {{ source = \"script\", secret = \"x\" }}\n{rest}\n"
    ));
    site
}

/// A plug-in that warns, and answers one of two requests.
#[test]
fn what_was_warned_of_is_told_when_the_run_fails_too() {
    let site = Site::new();
    let plugin = site.path().join("plugin");
    secretdir_testkit::write_program(
        &plugin,
        "#!/bin/sh\nread hello\necho '{\"type\":\"hello\",\"protocol\":1}'\nread one\n\
         echo '{\"type\":\"warning\",\"message\":\"the first region is down\"}'\n\
         echo '{\"type\":\"error\",\"id\":0,\"kind\":\"permission-denied\",\"message\":\"no\"}'\ncat > /dev/null\n",
    );
    site.config(&format!(
        "{HEAD}\n[sources.plugin]\nprovider = \"exec\"\nenvironment = [\"PATH\"]\nplugin = [\"./plugin\"]\n\n\
         [files]\na = {{ source = \"plugin\", secret = \"a\" }}\n"
    ));
    for command in [&["sync"][..], &["diff"], &["check", "--fetch"]] {
        let ran = site.run(command).expect_exit(3);
        ran.expect_error(&["warning: source `plugin`: the first region is down", "error: file `a`"]);
        let json = site.run(&[command, &["--json"]].concat()).expect_exit(3).json();
        let warnings = json["warnings"].as_array().unwrap();
        let warned = serde_json::json!({ "message": "source `plugin`: the first region is down" });
        assert!(warnings.contains(&warned), "{json}");
        assert_eq!(json["errors"].as_array().unwrap().len(), 1, "{json}");
    }
}

#[test]
fn a_staging_that_cannot_be_removed_is_an_error_of_its_own() {
    let site = Site::with_secrets(&[("a", b"1"), ("b", b"2")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("[directory]", "[directory]\nretain = \"0s\""));
    site.sync();
    site.secret("a", "new");
    // The mode of the first file is the first that is set.
    let faults = ["fchmod:error=EIO:when=1".to_owned(), "unlinkat:error=EIO".to_owned()];
    let ran = inject(&site, &["sync", "--json"], &faults).expect_exit(4);
    let ran = ran.expect_error(&[
        "error: cannot set the mode of ",
        "error: unpublished files with secrets are left: cannot remove ",
        "hint: only the user who ran this can read them; the next run tries again to remove them",
    ]);
    assert_eq!(ran.json()["errors"].as_array().unwrap().len(), 2);
    site.sync();
    assert_eq!(site.names(), [".app.gen", "app", "state/lock", "state/made", "state/note"]);
}

/// The last steps before the flip give the generation to its readers. If it cannot be removed after that, it is taken back.
#[test]
fn what_cannot_be_removed_is_closed_to_its_readers() {
    if !is_root("what_cannot_be_removed_is_closed_to_its_readers") {
        return;
    }
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let given = format!("[directory]\nmode = \"0750\"\nowner = {OTHER_USER}\ngroup = {OTHER_USER}");
    site.config(&config.replace("[directory]", &given));
    let faults = ["renameat2:error=EIO".to_owned(), "unlinkat:error=EIO".to_owned()];
    let ran = inject(&site, &["sync"], &faults).expect_exit(4);
    ran.expect_error(&["(step 9, flip): ", "hint: only the user who ran this can read them"]);
    let left = fs::read_dir(site.path().join("out")).unwrap().map(|entry| entry.unwrap());
    let left: Vec<_> =
        left.filter(|entry| entry.file_name().to_string_lossy().starts_with(".app.gen-")).collect();
    assert_eq!(left.len(), 1);
    let found = left[0].metadata().unwrap();
    assert_eq!((found.uid(), found.mode() & 0o7777), (0, 0o700));
    assert!(left[0].path().join("a").exists());
}

#[test]
fn a_directory_that_is_renamed_in_the_middle_of_a_run_is_not_published_to() {
    let site = scripted("mv out away; echo x", "");
    fs::create_dir(site.path().join("out")).unwrap();
    let ran = site.run(&["sync"]).expect_exit(4);
    ran.expect_error(&["(step 9, flip): its path now leads to another place", "hint: "]);
    assert!(!site.path().join("away/app").is_symlink() && !site.link().is_symlink());
}

#[test]
fn a_directory_that_is_mounted_over_in_the_middle_of_a_run_is_not_published_to() {
    if !is_root("a_directory_that_is_mounted_over_in_the_middle_of_a_run_is_not_published_to") {
        return;
    }
    let site = scripted("mount -t tmpfs tmpfs out; echo x", "");
    fs::create_dir(site.path().join("out")).unwrap();
    let mut command = Command::new("unshare");
    site.prepare(command.args(["--mount", COMMAND, "sync"]));
    Ran::of(&mut command).expect_exit(4).expect_error(&["its path now leads to another place"]);
    assert_eq!(site.names(), ["state/lock"]);
}

/// The rename of the link is held up until the directory has been moved away: the look before it found nothing wrong.
#[test]
fn a_set_that_its_path_does_not_lead_to_after_the_flip_is_exit_6() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    site.secret("a", "2");
    let folder = site.path().to_owned();
    std::thread::scope(|scope| {
        let mover = scope.spawn(move || {
            let old = fs::canonicalize(folder.join("out/app")).unwrap();
            let published = fs::metadata(&old).unwrap().modified().unwrap();
            // Its time is set just before the rename.
            while fs::metadata(&old).unwrap().modified().unwrap() == published {
                std::thread::yield_now();
            }
            fs::rename(folder.join("out"), folder.join("away")).unwrap();
        });
        let ran = inject(&site, &["sync"], &["renameat:delay_enter=3000000:when=1".to_owned()]);
        mover.join().unwrap();
        ran.expect_exit(6).expect_error(&["its path now leads to another place", "hint: "]);
    });
    assert_eq!(fs::read(site.path().join("away/app/a")).unwrap(), b"2");
}

#[test]
fn all_secrets_together_are_bounded() {
    let site = Site::with_secrets(&[("a", b"12345"), ("b", b"12345")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&format!("[gather]\nmax-bytes = 9\n{config}"));
    let ran = site.run(&["sync"]).expect_exit(3);
    ran.expect_error(&[
        "error: the secrets and files of this run together: larger than 9 bytes",
        "hint: raise `max-bytes`",
    ]);
    site.config(&format!("[gather]\nmax-bytes = 10\n{config}"));
    site.sync();
    // What is made of them counts, too.
    let twice = "c = { source = \"local\", secret = \"a\", encode = \"hex\" }\n";
    site.config(&format!("[gather]\nmax-bytes = 19\n{config}{twice}"));
    site.run(&["sync"]).expect_exit(3).expect_error(&["larger than 19 bytes"]);
}
