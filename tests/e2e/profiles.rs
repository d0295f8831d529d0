//! Profiles: the same configuration, with something different.

use crate::support::{HEAD, Ran, Site};

/// A configuration with a profile `dev`, and both stores of it.
fn site() -> Site {
    let site = Site::new();
    for (name, value) in [("token", "production"), ("only-here", "1")] {
        site.secret(name, value);
    }
    std::fs::create_dir(site.path().join("dev")).unwrap();
    std::fs::write(site.path().join("dev/token"), "laptop").unwrap();
    site.config(&format!(
        r#"{HEAD}
[on-change]
command = ["touch", "changed"]

[files]
token = {{ source = "local", secret = "token" }}
only-here = {{ source = "local", secret = "only-here" }}

[profiles.dev]
on-change = false

[profiles.dev.sources.local]
provider = "file"
root = "dev"

[profiles.dev.directory]
path = "out/dev"

[profiles.dev.files]
only-here = false
more = {{ source = "local", secret = "token", mode = "0440" }}

[profiles.broken.files]
token = {{ source = "locl", secret = "token" }}
"#
    ));
    site
}

#[test]
fn a_profile_is_laid_over_the_configuration() {
    let site = site();
    site.run(&["sync", "--profile", "dev"]).expect_exit(0);
    let names = |link: &str| {
        let mut names: Vec<_> = std::fs::read_dir(site.path().join(link))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("out/dev"), ["more", "token"]);
    assert_eq!(std::fs::read(site.path().join("out/dev/token")).unwrap(), b"laptop");
    assert!(!site.path().join("changed").exists() && !site.link().exists());

    site.sync();
    assert_eq!(names("out/app"), ["only-here", "token"]);
    assert_eq!(site.read("token"), b"production");
    assert!(site.path().join("changed").exists());

    let mut command = site.command(&["status", "--json"]);
    let status = Ran::of(command.env("SECRETDIR_PROFILE", "dev")).expect_exit(0).json();
    assert_eq!(status["generation"]["files"][0]["name"], "more");
}

#[test]
fn a_profile_that_is_not_there_is_told_with_those_that_are() {
    let ran = site().run(&["check", "--profile", "dve"]).expect_exit(2);
    let told = "profiles: there is no profile `dve`; did you mean `dev`? known: `broken`, `dev`";
    assert!(ran.stderr.contains(told), "{ran:?}");
    let ran = Site::with_secrets(&[("a", b"1")]).run(&["check", "--profile", "dev"]).expect_exit(2);
    assert!(ran.stderr.contains("there is no profile `dev`; there are none"), "{ran:?}");
}

#[test]
fn what_is_wrong_in_a_profile_is_told_with_its_line() {
    let ran = site().run(&["check", "--profile", "broken"]).expect_exit(2);
    assert!(
        ran.stderr.contains("secretdir.toml:30:11: files.token.source: there is no source `locl`"),
        "{ran:?}"
    );
    for (profile, column, words) in [
        ("filse = {}", 1, "profiles.dev.filse: unknown key; did you mean `files`?"),
        ("files.none = false", 7, "profiles.dev.files.none: there is nothing to remove"),
        ("on-change = false", 1, "profiles.dev.on-change: there is nothing to remove"),
        ("directory.pth = \"x\"", 11, "directory.pth: unknown key; did you mean `path`?"),
        ("sources.local = false", 9, "sources.local: expected a table"),
        ("files = 3", 1, "files: expected a table"),
    ] {
        let site = Site::new();
        site.config(&format!(
            "{HEAD}[files]\na = {{ source = \"local\", secret = \"a\" }}\n[profiles.dev]\n{profile}\n"
        ));
        let ran = site.run(&["check", "--profile", "dev"]).expect_exit(2);
        assert!(ran.stderr.contains(&format!("secretdir.toml:10:{column}: {words}")), "{words}: {ran:?}");
    }
    let site = Site::new();
    site.config(&format!(
        "{HEAD}[files]\n[profiles.dev]\nfiles.none = false\nimport = false\ndirectory.pth = 1\n"
    ));
    let ran = site.run(&["check", "--profile", "dev"]).expect_exit(2);
    assert_eq!(ran.stderr.matches("error: ").count(), 3, "{ran:?}");
    let site = Site::new();
    site.config(&format!("{HEAD}[files]\n[profiles.dev]\nfilse = {{}}\n"));
    site.run(&["check"]).expect_exit(2).expect_error(&["profiles.dev.filse: unknown key"]);
}

#[test]
fn a_fault_that_profiles_share_is_told_once() {
    let site = Site::new();
    let broken = |name: &str| format!("[profiles.{name}.sources.local]\nprovider = \"env\"\n");
    site.config(&format!(
        "{HEAD}\n[files]\na = {{ source = \"locl\", secret = \"a\" }}\n\"b=c\" = {{ source = \"local\", secret = \"b=c\" }}\n\
         [profiles.dev.files]\nd = {{ source = \"dev\", secret = \"d\" }}\n{}{}",
        broken("one"),
        broken("two"),
    ));
    let ran = site.run(&["check", "--all-profiles"]).expect_exit(2);
    let file = site.path().join("secretdir.toml");
    let told: Vec<_> = ran.stderr.lines().map(|line| line.replace(file.to_str().unwrap(), "F")).collect();
    let starts = [
        "error: F:9:7: files.a.source: there is no source `locl`",
        "error: with profiles `one`, `two`: F:10:1: files.\"b=c\"",
        "error: with profile `dev`: F:12:7: files.d.source: there is no source `dev`",
    ];
    assert_eq!(told.len(), starts.len(), "{ran:?}");
    assert!(told.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{ran:?}");
    let json = site.run(&["check", "--all-profiles", "--json"]).expect_exit(2).json();
    let errors = json["errors"].as_array().unwrap();
    assert_eq!(errors.len(), starts.len());
    let names: Vec<_> = errors.iter().map(|error| &error["profile_names"]).collect();
    assert!(
        names.contains(&&serde_json::json!(["one", "two"])) && names.contains(&&serde_json::json!(["dev"])),
        "{json}"
    );
}

#[test]
fn a_warning_that_profiles_share_is_told_once() {
    let site = Site::new();
    let head = HEAD.replace("path", "file-mode = \"0440\"\npath");
    site.config(&format!(
        "{head}\n[files]\na = {{ source = \"local\", secret = \"a\" }}\n[profiles.b.directory]\nfile-mode = \"0404\"\n\
         [profiles.c.gather]\ntimeout = \"1s\"\n",
    ));
    let ran = site.run(&["check", "--all-profiles"]).expect_exit(0);
    let told: Vec<_> = ran.stderr.lines().collect();
    assert_eq!(told.len(), 2, "{ran:?}");
    assert!(told[0].starts_with("warning: /") && told[0].contains("the group may read"), "{ran:?}");
    assert!(
        told[1].starts_with("warning: with profile `b`: /") && told[1].contains("everyone may read"),
        "{ran:?}"
    );
}

#[test]
fn an_empty_variable_is_not_set() {
    let site = site();
    let mut command = site.command(&["check", "--json"]);
    let ran = Ran::of(command.env("SECRETDIR_PROFILE", "").env("SECRETDIR_CONFIG", "")).expect_exit(0);
    assert_eq!(ran.json()["path"], "out/app");
    let mut command = site.command(&["exec", "--", "true"]);
    Ran::of(command.env("SECRETDIR_PROFILE", "")).expect_exit(125).expect_error(&["nothing is published"]);

    let mut command = site.command(&["exec", "true"]);
    Ran::of(command.env("SECRETDIR_CONFIG", "")).expect_exit(125).expect_error(&["unexpected argument"]);

    let named = site.run(&["check", "--profile", ""]).expect_exit(2);
    named.expect_error(&["there is no profile ``; known: `broken`, `dev`"]);
    site.run(&["check", "--config", ""]).expect_exit(2).expect_error(&["--config <FILE>"]);
    let mut command = site.command(&["check", "--profile", "", "--json"]);
    Ran::of(command.env("SECRETDIR_PROFILE", "dev")).expect_exit(2);
}

#[test]
fn all_profiles_are_checked_in_one_run() {
    let site = site();
    let ran = site.run(&["check", "--all-profiles"]).expect_exit(2);
    assert!(ran.stderr.starts_with("error: with profile `broken`: "), "{ran:?}");
    let config = std::fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("locl", "local"));
    let ran = site.run(&["check", "--all-profiles"]).expect_exit(0);
    let lines: Vec<_> = ran.stdout.lines().map(|line| line.split(", to be").next().unwrap()).collect();
    assert_eq!(
        lines,
        ["ok: without a profile: 2 files", "ok: profile `broken`: 2 files", "ok: profile `dev`: 2 files"]
    );
    let json = site.run(&["check", "--all-profiles", "--json"]).expect_exit(0).json();
    assert_eq!(json["profiles"][2]["profile"], "dev");
}
