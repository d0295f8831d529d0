//! The link: all that `exec` and `status` need of a configuration, and what it has to be.

use std::fs;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::{COMMAND, HEAD, OTHER_USER, Ran, Site, is_root};

/// What a program prints that has been started.
const PROGRAM: [&str; 5] = ["exec", "--", "sh", "-c", "cat $SECRETDIR_PATH/a"];

fn published() -> Site {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    site
}

/// Puts something else where the link was.
fn replace(site: &Site, put: impl FnOnce(&Path)) {
    let link = site.link();
    let generation = fs::canonicalize(&link).unwrap();
    fs::remove_file(&link).unwrap();
    put(&link);
    assert!(generation.join("a").exists());
}

/// Asserts that nothing is started, for the reason that keeps `status` from telling what is published.
#[track_caller]
fn assert_refused(site: &Site, reason: &str) {
    let status = site.run(&["status"]).expect_exit(4).expect_error(&[reason]);
    let exec = site.run(&PROGRAM).expect_exit(125);
    assert_eq!((exec.stderr, exec.stdout), (status.stderr, String::new()));
}

#[test]
fn only_a_link_of_ours_is_given_to_a_program() {
    let site = published();
    replace(&site, |link| {
        fs::create_dir(link).unwrap();
        fs::write(link.join("a"), "planted").unwrap();
    });
    assert_refused(&site, "it is a directory, not a symbolic link");

    let site = published();
    fs::create_dir(site.path().join("elsewhere")).unwrap();
    replace(&site, |link| symlink("../elsewhere", link).unwrap());
    assert_refused(&site, "it points to `../elsewhere`, which is not one of its generations");

    let site = published();
    let generation = fs::read_link(site.link()).unwrap();
    replace(&site, |link| {
        symlink(&generation, link.with_file_name("between")).unwrap();
        symlink("between", link).unwrap();
    });
    assert_refused(&site, "it points to `between`, which is not one of its generations");

    let site = published();
    let absolute = fs::canonicalize(site.link()).unwrap();
    replace(&site, |link| symlink(&absolute, link).unwrap());
    assert_refused(&site, "which is not one of its generations");
}

#[test]
fn a_generation_is_a_directory_and_no_link_to_one() {
    let site = published();
    let generation = fs::canonicalize(site.link()).unwrap();
    let aside = site.path().join("aside");
    fs::rename(&generation, &aside).unwrap();
    symlink(&aside, &generation).unwrap();
    assert_refused(&site, "it is not a directory on the filesystem of its parent");
}

#[test]
fn where_everyone_can_replace_the_link_nothing_is_started() {
    let site = published();
    let out = site.path().join("out");
    fs::set_permissions(&out, fs::Permissions::from_mode(0o777)).unwrap();
    site.run(&["status"]).expect_exit(4).expect_error(&["everyone can write to it (mode 0777)"]);
    site.run(&PROGRAM)
        .expect_exit(125)
        .expect_error(&["out` (step 1, open the parent): everyone can write to "]);
    fs::set_permissions(&out, fs::Permissions::from_mode(0o1777)).unwrap();
    assert_eq!(site.run(&PROGRAM).expect_exit(0).stdout, "1");
}

/// As if root had published it there: whoever owns the directory above could have put it in the place of root's.
#[test]
fn root_starts_nothing_with_a_set_that_somebody_else_could_have_put_there() {
    if !is_root("root_starts_nothing_with_a_set_that_somebody_else_could_have_put_there") {
        return;
    }
    let site = published();
    lchown(site.path().join("out"), Some(OTHER_USER), None).unwrap();
    let refused = ["out` (step 1, open the parent): the directory belongs to user ", "hint: "];
    site.run(&PROGRAM).expect_exit(125).expect_error(&refused);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("[directory]", "[directory]\nparents = \"trusted\""));
    assert_eq!(site.run(&PROGRAM).expect_exit(0).stdout, "1");
}

#[test]
fn a_link_in_the_current_folder_needs_no_path() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("out/app", "app"));
    for command in [&["check"][..], &["sync"], &["diff"], &["status"], &PROGRAM] {
        site.run(command).expect_exit(0);
    }
}

#[test]
fn a_state_directory_of_somebody_elses_says_nothing_to_those_who_look() {
    if !is_root("a_state_directory_of_somebody_elses_says_nothing_to_those_who_look") {
        return;
    }
    let site = published();
    fs::set_permissions(site.path().join("out"), fs::Permissions::from_mode(0o1777)).unwrap();
    lchown(site.path().join("out/.app.state"), Some(OTHER_USER), None).unwrap();
    site.run(&["status"]).expect_exit(4).expect_error(&["out/.app.state`", "belongs to user 65534"]);
}

#[test]
fn nothing_is_published_only_where_there_is_no_link() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let nothing = ["nothing is published at `", "hint: run `secretdir sync` first"];
    site.run(&PROGRAM).expect_exit(125).expect_error(&nothing);
    fs::create_dir(site.path().join("out")).unwrap();
    site.run(&PROGRAM).expect_exit(125).expect_error(&nothing);

    site.sync();
    fs::remove_dir_all(fs::canonicalize(site.link()).unwrap()).unwrap();
    let ran = site.run(&PROGRAM).expect_exit(125);
    let ran = ran.expect_error(&[
        "error: cannot open `",
        "out/app` (step 12, read): No such file",
        "hint: the current generation is missing: run `secretdir sync`",
    ]);
    assert!(!ran.stderr.contains("nothing is published"), "{ran:?}");
}

#[test]
fn whoever_may_list_the_set_may_run_a_program_with_it() {
    if !is_root("whoever_may_list_the_set_may_run_a_program_with_it") {
        return;
    }
    let site = Site::new();
    site.secret("a", "1");
    site.secret("b", "2");
    let head = HEAD.replace("[directory]", "[directory]\nmode = \"0755\"");
    site.config(&format!(
        "{head}\n[files]\na = {{ source = \"local\", secret = \"a\", mode = \"0444\" }}\n\
         b = {{ source = \"local\", secret = \"b\" }}\n"
    ));
    site.sync();
    assert_eq!(run_as_other(&site, &PROGRAM).expect_exit(0).stdout, "1");
    let status = run_as_other(&site, &["status"]).expect_exit(0);
    assert!(status.stdout.contains("\nlimited view: ") && status.stdout.contains("\n  0400 b"), "{status:?}");
    assert!(!status.stdout.contains("from local") && !status.stdout.contains("last success: "), "{status:?}");
    let json = run_as_other(&site, &["status", "--json"]).expect_exit(0).json();
    assert_eq!((json["view"].as_str(), json["last_success_at"].is_null()), (Some("reader"), true));
    assert_eq!(site.run(&["status", "--json"]).json()["view"], "full");
    // Whoever is only let through to the set may use it, too.
    fs::set_permissions(site.path().join("out"), fs::Permissions::from_mode(0o711)).unwrap();
    let status = run_as_other(&site, &["status"]).expect_exit(0);
    assert!(status.stdout.contains("\nlimited view: ") && status.stdout.contains("\n  0444 a"), "{status:?}");
    assert_eq!(run_as_other(&site, &PROGRAM).expect_exit(0).stdout, "1");
    // What may not be listed is no empty set.
    let generation = fs::canonicalize(site.link()).unwrap();
    let listing = |site: &Site| {
        let status = run_as_other(site, &["status"]).expect_exit(0);
        let json = run_as_other(site, &["status", "--json"]).expect_exit(0).json();
        (json["generation"]["listing"].as_str().unwrap().to_owned(), status.stdout)
    };
    assert_eq!(listing(&site).0, "complete");
    fs::set_permissions(&generation, fs::Permissions::from_mode(0o711)).unwrap();
    let (partial, text) = listing(&site);
    assert_eq!(partial, "partial");
    assert!(
        text.contains(" ago, at least 0 files\n")
            && text.contains("files that the current user may not list"),
        "{text}"
    );
    fs::set_permissions(&generation, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&generation, fs::Permissions::from_mode(0o711)).unwrap();
    let ran = run_as_other(&site, &PROGRAM).expect_exit(125);
    ran.expect_error(&["error: cannot open `", "(step 12, read): Permission denied"]);
    let status = run_as_other(&site, &["status", "--json"]).expect_exit(0).json();
    assert_eq!(status["generation"]["files"].as_array().unwrap().len(), 0);
}

/// Whether the command has succeeded is in a note that is not for readers.
#[test]
fn a_reader_is_not_told_that_the_command_is_pending() {
    if !is_root("a_reader_is_not_told_that_the_command_is_pending") {
        return;
    }
    let site = Site::new();
    site.secret("a", "1");
    let head = HEAD.replace("[directory]", "[directory]\nmode = \"0755\"\nfile-mode = \"0444\"");
    site.config(&format!(
        "{head}\n[on-change]\ncommand = [\"true\"]\n\n[files]\na = {{ source = \"local\", secret = \"a\" }}\n"
    ));
    site.sync();
    fs::set_permissions(site.path().join("source/a"), fs::Permissions::from_mode(0o644)).unwrap();
    let diff = run_as_other(&site, &["diff"]).expect_exit(0);
    assert!(diff.stdout.contains("\nlimited view: ") && !diff.stdout.contains("pending"), "{diff:?}");
    assert_eq!(run_as_other(&site, &["diff", "--json"]).expect_exit(0).json()["on_change"], "unknown");
    site.secret("a", "2");
    assert_eq!(run_as_other(&site, &["diff", "--json"]).expect_exit(10).json()["on_change"], "pending");
}

/// Runs the command as an ordinary user: a copy where he finds it.
fn run_as_other(site: &Site, arguments: &[&str]) -> Ran {
    // By another process: a file that a test's own has open to write cannot be run while one of its threads starts another.
    Ran::of(Command::new("cp").arg(COMMAND).arg(site.path().join("secretdir"))).expect_exit(0);
    let user = [format!("--reuid={OTHER_USER}"), format!("--regid={OTHER_USER}")];
    let mut command = Command::new("setpriv");
    command.args(user).args(["--clear-groups", "--", "./secretdir"]).args(arguments);
    site.prepare(&mut command);
    Ran::of(&mut command)
}

#[test]
fn a_mistake_elsewhere_keeps_nobody_from_what_is_published() {
    let site = published();
    let elsewhere = [
        "[files]\na = { template = \"gone.tmpl\" }",
        "[sources.local]\nprovider = \"no-such-provider\"\n[files]\na = { source = \"none\" }",
        "files = 3\nbogus = true",
        "[profiles.here.files]\nnone = false\n[profiles.here]\nbogus = 1",
    ];
    for config in elsewhere {
        let (before, after) = if config.starts_with('[') { ("", config) } else { (config, "") };
        site.config(&format!("{before}\n[directory]\npath = \"out/app\"\n{after}\n"));
        site.run(&["check"]).expect_exit(2);
        let profile: &[&str] = if config.contains("here") { &["--profile", "here"] } else { &[] };
        let status = site.run(&[&["status", "--json"], profile].concat()).expect_exit(0);
        assert_eq!(status.json()["generation"]["files"][0]["name"], "a", "{config}");
        let ran = site.run(&[profile, &PROGRAM].concat()).expect_exit(0);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("1", ""), "{config}");
    }
}

#[test]
fn what_is_wrong_with_the_directory_is_told() {
    let site = published();
    for (config, told) in [
        ("[files]", "there is no profile `dev`; there are none"),
        ("[profiles.dev.files]", "directory: missing"),
        ("[directory]\npth = \"x\"\n[profiles.dev]", "directory.pth: unknown key; did you mean `path`?"),
        (
            "[directory]\npath = \"x\"\n[profiles.dev.directory]\npath = 1",
            "directory.path: expected a string",
        ),
    ] {
        site.config(config);
        let status = site.run(&["status", "--profile", "dev"]).expect_exit(2).expect_error(&[told]);
        let exec = site.run(&[&["--profile", "dev"], &PROGRAM[..]].concat()).expect_exit(125);
        assert_eq!(exec.stderr, status.stderr);
    }
}

#[test]
fn a_template_that_its_reader_may_not_read_is_not_asked_for() {
    if !is_root("a_template_that_its_reader_may_not_read_is_not_asked_for") {
        return;
    }
    let site = Site::new();
    let template = site.path().join("a.tmpl");
    fs::write(&template, "text").unwrap();
    let head = HEAD.replace("[directory]", "[directory]\nmode = \"0755\"\nfile-mode = \"0444\"");
    site.config(&format!("{head}\n[files]\na = {{ template = \"a.tmpl\" }}\n"));
    site.sync();
    fs::set_permissions(&template, fs::Permissions::from_mode(0o600)).unwrap();
    let (out, owner) = (site.path().join("out"), Some(OTHER_USER));
    for name in fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()) {
        lchown(name, owner, owner).unwrap();
    }
    run_as_other(&site, &["check"]).expect_exit(2).expect_error(&["a.tmpl"]);
    run_as_other(&site, &["status"]).expect_exit(0);
    assert_eq!(run_as_other(&site, &PROGRAM).expect_exit(0).stdout, "text");
}
