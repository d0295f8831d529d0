//! Commands with providers of their own, some of them bad: a clear error with its exit code, and nothing changed.

use std::process::Command;

use secretdir::Cli;
use secretdir_provider::{
    Provider, RunContext, Secret, SecretRequest, SecretSource, Settings, SettingsError, SourceError,
    async_trait,
};

use crate::support::{HEAD, Ran, Site};

/// Which provider the command of another process has, besides its own.
const CASE: &str = "SECRETDIR_TEST_CASE";

/// A value that must turn up nowhere.
const CANARY: &str = "Kd83hfQ-zz1-Lm5v";

/// A provider that does what its name says.
struct Bad(&'static str);

#[derive(Debug)]
struct BadSource(&'static str);

impl Provider for Bad {
    fn name(&self) -> &'static str {
        self.0
    }

    fn source(&self, _: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        match self.0 {
            "fails" => Err(SettingsError::new("token", "is not one")),
            "panics-at-once" => panic!("with {CANARY}"),
            name => Ok(Box::new(BadSource(name))),
        }
    }
}

#[async_trait]
impl SecretSource for BadSource {
    async fn fetch(&self, _: &RunContext, _: &SecretRequest) -> Result<Secret, SourceError> {
        assert_ne!(self.0, "panics-later", "with {CANARY}");
        Ok(Secret::new(CANARY))
    }
}

/// Runs in a process that the tests below start: a command ends its process, and changes its umask.
#[test]
#[ignore = "is run by the tests below"]
fn in_a_process_of_its_own() {
    let bad = std::env::var(CASE).unwrap();
    let exit = Cli::with_builtins().provider(Bad(bad.leak())).run_from(["secretdir", "sync"]);
    std::process::exit(exit as i32);
}

/// Runs `sync` with the provider of this name, on a site where `a` has been published before.
fn sync(site: &Site, provider: &str) -> Ran {
    let this = std::env::current_exe().unwrap();
    let mut command = Command::new(this);
    site.prepare(command.args([
        "--exact",
        "registration::in_a_process_of_its_own",
        "--ignored",
        "--nocapture",
    ]));
    Ran::of(command.env(CASE, provider))
}

/// Asserts that a configuration that names this provider fails so, and changes nothing.
fn assert_refused(registered: &str, named: &str, exit: i32, texts: &[&str]) {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let before = site.fingerprint();
    site.config(&format!(
        "{HEAD}[sources.mine]\nprovider = \"{named}\"\n[files]\nb = {{ source = \"mine\", secret = \"b\" }}\n"
    ));
    let ran = sync(&site, registered).expect_exit(exit).expect_error(texts);
    assert!(!ran.stderr.contains(&CANARY[..6]), "{ran:?}");
    assert_eq!(site.fingerprint(), before);
    assert_eq!(site.names(), [".app.gen", "app", "state/lock", "state/made", "state/note"]);
}

#[test]
fn a_good_one_is_used() {
    let site = Site::new();
    site.config(
        "[directory]\npath = \"out/app\"\n[sources.mine]\nprovider = \"mine\"\n[files]\nb = { source = \"mine\", secret = \"b\" }\n",
    );
    sync(&site, "mine").expect_exit(0);
    assert_eq!(site.read("b"), CANARY.as_bytes());
}

#[test]
fn a_name_that_is_taken_or_invalid_is_refused() {
    assert_refused("file", "file", 2, &["error: there are two providers with the name `file`"]);
    assert_refused("Bad_Name", "file", 2, &["error: \"Bad_Name\" is not a valid name for a provider"]);
}

#[test]
fn an_unknown_name_is_told_with_those_that_there_are() {
    let known = "did you mean `mine`? known: `aws-parameter-store`, `aws-secrets-manager`, `env`, `exec`, `file`, `http`, `mine`";
    let place = "secretdir.toml:8:1: sources.mine.provider: there is no provider `mimes`; ";
    assert_refused("mine", "mimes", 2, &["error: ", place, known]);
}

#[test]
fn one_that_fails_or_panics_is_told_with_its_line() {
    assert_refused("fails", "fails", 2, &["error: ", "secretdir.toml:7:10: sources.mine.token: is not one"]);
    let panicked = "panicked: a mistake in the provider, not in the configuration";
    assert_refused(
        "panics-at-once",
        "panics-at-once",
        2,
        &[
            "panic: at ",
            "registration.rs:",
            "secretdir.toml:8:1: sources.mine.provider: the provider `panics-at-once` ",
            panicked,
        ],
    );
    assert_refused(
        "panics-later",
        "panics-later",
        3,
        &["error: file `b`: secret `b` of source `mine`: failed: the provider `panics-later` ", panicked],
    );
}
