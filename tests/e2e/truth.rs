//! A run tells the truth: of the configuration that it published, of what its sources warned of, of where the files came
//! from, and of what happened to the directory in the meantime.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::{Command, Stdio};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};

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

/// Starts a run that waits for the lock, does something, and lets the run go on.
fn while_a_run_waits(site: &Site, meanwhile: impl Fn()) -> Ran {
    while_it_waits(site, site.command(&["sync", "-v"]), meanwhile)
}

fn while_it_waits(site: &Site, mut command: Command, meanwhile: impl Fn()) -> Ran {
    let lock = fs::File::open(site.path().join("out/.app.state/lock")).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
    let mut waiting = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(waiting.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("waiting for another run to end")));
    kill_process(Pid::from_child(&waiting), Signal::STOP).unwrap();
    drop(lock);
    meanwhile();
    kill_process(Pid::from_child(&waiting), Signal::CONT).unwrap();
    let rest: Vec<_> = lines.map(Result::unwrap).collect();
    let mut ran = Ran::from(waiting.wait_with_output().unwrap());
    ran.stderr = rest.join("\n");
    ran
}

#[test]
fn a_run_that_waited_publishes_what_the_configuration_says_by_then() {
    let site = Site::with_secrets(&[("a", b"1"), ("b", b"2")]);
    site.config(&files("a = { source = \"local\", secret = \"a\" }"));
    site.sync();
    let ran = while_a_run_waits(&site, || {
        site.config(&files("b = { source = \"local\", secret = \"b\" }"));
        site.sync();
    });
    assert!(ran.status.success() && ran.stdout.starts_with("unchanged"), "{ran:?}");
    assert!(!site.link().join("a").exists());
    assert_eq!(site.read("b"), b"2");
}

#[test]
fn a_template_that_changes_while_a_run_waits_is_read_again() {
    let site = Site::new();
    fs::write(site.path().join("a.tmpl"), "old").unwrap();
    site.config(&files("a = { template = \"a.tmpl\" }"));
    site.sync();
    let ran = while_a_run_waits(&site, || {
        // As editors do it, so that the file is another one.
        fs::write(site.path().join("a.tmpl~"), "new").unwrap();
        fs::rename(site.path().join("a.tmpl~"), site.path().join("a.tmpl")).unwrap();
    });
    assert!(ran.status.success() && ran.stdout.starts_with("published"), "{ran:?}");
    assert_eq!(site.read("a"), b"new");
}

/// A pipe is read once: the template is read again, and the configuration is what it was.
#[test]
fn a_configuration_from_a_pipe_is_kept_while_its_run_waits() {
    let site = Site::new();
    let template = site.path().join("a.tmpl");
    fs::write(&template, "old").unwrap();
    let text = files(&format!("a = {{ template = {template:?} }}"));
    let text = text.replace("\"out/app\"", &format!("{:?}", site.link()));
    let text = text.replace("\"source\"", &format!("{:?}", site.path().join("source")));
    let piped = |options: &str| {
        let mut shell = Command::new("sh");
        let script = format!("cat piped.toml | \"$0\" {options} --config /dev/stdin");
        site.prepare(shell.args(["-c", &script, COMMAND]));
        shell
    };
    fs::write(site.path().join("piped.toml"), &text).unwrap();
    Ran::of(&mut piped("sync")).expect_exit(0);
    let (reader, mut writer) = std::io::pipe().unwrap();
    std::io::Write::write_all(&mut writer, text.as_bytes()).unwrap();
    drop(writer);
    let mut waits = site.command(&["sync", "-v", "--config", "/dev/stdin"]);
    waits.stdin(reader);
    let ran = while_it_waits(&site, waits, || fs::write(&template, "newer").unwrap());
    assert!(ran.status.success() && ran.stdout.starts_with("published"), "{ran:?}");
    assert_eq!(site.read("a"), b"newer");
    fs::write(site.path().join("piped.toml"), text + "\n[profiles.p.directory]\nretain = \"1s\"\n").unwrap();
    Ran::of(&mut piped("check --all-profiles")).expect_exit(0);
}

#[test]
fn a_configuration_that_leads_elsewhere_by_then_is_followed_there() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let ran = while_a_run_waits(&site, || site.config(&config.replace("out/app", "out/other")));
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(fs::read(site.path().join("out/other/a")).unwrap(), b"1");
}

#[test]
fn a_configuration_that_is_wrong_by_then_fails_the_run_and_changes_nothing() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let before = site.fingerprint();
    let ran = while_a_run_waits(&site, || site.config("files = 3"));
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    assert!(ran.stderr.contains("secretdir.toml:1:1: files: expected a table"), "{ran:?}");
    assert_eq!(site.fingerprint(), before);
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
    assert!(pending.stdout.contains("\npending: the on-change command has not succeeded yet"), "{pending:?}");
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
        "error: files with secrets are left that were not published: cannot remove ",
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
    ran.expect_error(&["(step 9, flip): its path leads elsewhere by now", "hint: "]);
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
    Ran::of(&mut command).expect_exit(4).expect_error(&["its path leads elsewhere by now"]);
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
        ran.expect_exit(6).expect_error(&["its path leads elsewhere by now", "hint: "]);
    });
    assert_eq!(fs::read(site.path().join("away/app/a")).unwrap(), b"2");
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
    assert!(ran.stderr.contains(&format!("came from {first}: if both go on publishing there")), "{ran:?}");
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

#[test]
fn check_finds_what_a_run_would_refuse_on_this_machine() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(
        &config.replace("[directory]", "[directory]\nowner = \"no-such-user\"\ngroup = \"no-such-group\""),
    );
    site.run(&["check"]).expect_exit(2).expect_error(&[
        "secretdir.toml:2:1: directory.owner: there is no user `no-such-user` on this system",
        "secretdir.toml:3:1: directory.group: there is no group `no-such-group` on this system",
    ]);
    site.run(&["check", "--all-profiles"]).expect_exit(0);
    site.config(&config);
    fs::create_dir(site.path().join("out")).unwrap();
    fs::create_dir(site.link()).unwrap();
    site.run(&["check"]).expect_exit(4).expect_error(&["it is a directory, not a symbolic link", "hint: "]);
    fs::remove_dir(site.link()).unwrap();
    fs::write(site.link(), "").unwrap();
    site.run(&["check"]).expect_exit(4).expect_error(&["it is a regular file, not a symbolic link"]);
    fs::remove_file(site.link()).unwrap();
    site.run(&["check"]).expect_exit(0);
    assert_eq!(site.names(), Vec::<String>::new(), "it makes nothing");
}

#[test]
fn check_finds_where_this_user_may_not_publish() {
    if !is_root("check_finds_where_this_user_may_not_publish") {
        return;
    }
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    Ran::of(Command::new("cp").arg(COMMAND).arg(site.path().join("secretdir"))).expect_exit(0);
    let check = || {
        let user = [format!("--reuid={OTHER_USER}"), format!("--regid={OTHER_USER}")];
        let mut command = Command::new("setpriv");
        command.args(user).args(["--clear-groups", "--", "./secretdir", "check"]);
        site.prepare(&mut command);
        Ran::of(&mut command)
    };
    fs::create_dir(site.path().join("out")).unwrap();
    check().expect_exit(4).expect_error(&["cannot write to ", "Permission denied"]);
    for missing in ["out/new/app", "out/new/deeper/app"] {
        site.config(&config.replace("out/app", missing));
        check().expect_exit(4).expect_error(&["cannot create ", "out/new`", "Permission denied"]);
    }
    std::os::unix::fs::chown(site.path().join("out"), Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    check().expect_exit(0);
    assert_eq!(site.names(), Vec::<String>::new(), "it makes nothing");
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
