//! Credentials that a program prints: `credential_process` of a profile.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use secretdir_testkit::{Moto, REGION};
use tempfile::TempDir;

use crate::environment::{ANY_KEY, Files, answer, borrowed};
use crate::surroundings::{KEYS, VALUE, server};

/// A folder with a program that prints a key, in the words `arguments`, and notes that it ran.
struct Program {
    folder: TempDir,
}

impl Program {
    /// Makes one that wants this for its only argument.
    fn new(argument: &str, id: &str, secret: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let program = folder.path().join("print it");
        let output = format!(r#"{{"Version": 1, "AccessKeyId": "{id}", "SecretAccessKey": "{secret}"}}"#);
        let script = format!(
            "#!/bin/sh\n[ \"$#\" = 1 ] && [ \"$1\" = '{argument}' ] || exit 9\ntouch '{}'\necho '{output}'\n",
            folder.path().join("ran").display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("print it")
    }

    /// Says whether it has run since this was asked last.
    fn ran(&self) -> bool {
        fs::remove_file(self.folder.path().join("ran")).is_ok()
    }
}

fn line(program: &Path, argument: &str) -> String {
    format!("credential_process = \"{}\" {argument}\n", program.display())
}

/// As with boto3: what a shell would run is an argument like any other.
#[test]
fn no_shell_reads_the_words() {
    let server = server();
    for (written, argument) in [
        ("a", "a"),
        ("a&b;$(exit)", "a&b;$(exit)"),
        ("'a b'", "a b"),
        ("\"a|b\"", "a|b"),
        ("a\\ b", "a b"),
        ("*", "*"),
    ] {
        let program = Program::new(argument, "AKIAIOSFODNN7EXAMPLE", "any");
        let files = Files::new(&format!("[default]\n{}", line(&program.path(), written)), "");
        let settings = [("region", REGION), ("endpoint-url", &*server.endpoint())];
        assert_eq!(answer(&settings, &borrowed(&files.environment())), VALUE, "{written}");
        assert!(program.ran());
    }
}

#[test]
fn roles_are_assumed_with_what_is_printed() {
    let moto = Moto::start();
    moto.create_string("app/db", "hunter2");
    let reader = moto.add_role("reader", &["secretsmanager:GetSecretValue"]);
    let key = moto.access_key();
    let program = Program::new("x", &key.id, &key.secret);
    let config = format!(
        "[profile top]\nrole_arn = {reader}\nsource_profile = base\n[profile base]\n{}",
        line(&program.path(), "x")
    );
    let files = Files::new(&config, "");
    let (environment, endpoint) = (files.environment(), moto.endpoint());
    let environment = [borrowed(&environment), vec![("AWS_ENDPOINT_URL_STS", &*endpoint)]].concat();
    for by in [vec![("profile", "top")], vec![("profile", "base"), ("role-arn", &*reader)]] {
        let settings = [vec![("region", REGION), ("endpoint-url", &*endpoint)], by].concat();
        assert_eq!(answer(&settings, &environment), VALUE);
        assert!(program.ran());
    }
}

/// The order of boto3: the environment, `~/.aws/credentials`, the program, `~/.aws/config`.
#[test]
fn other_credentials_count_before_it_or_after() {
    let server = server();
    let program = Program::new("x", "AKIAIOSFODNN7EXAMPLE", "any");
    let process = line(&program.path(), "x");
    let with_key = format!("[default]\n{process}{KEYS}");
    let stored = format!("[default]\n{KEYS}");
    let only = format!("[default]\n{process}");
    for (config, credentials, environment, profile, runs) in [
        (&only, "", &[][..], None, true),
        (&with_key, "", &[], None, true),
        (&only, &*stored, &[], None, false),
        (&only, "", &ANY_KEY, None, false),
        (&only, "", &ANY_KEY, Some("default"), true),
    ] {
        let files = Files::new(config, credentials);
        let variables = files.environment();
        let environment = [borrowed(&variables), environment.to_vec()].concat();
        let endpoint = server.endpoint();
        let mut settings = vec![("region", REGION), ("endpoint-url", &*endpoint)];
        settings.extend(profile.map(|profile| ("profile", profile)));
        assert_eq!(answer(&settings, &environment), VALUE, "{config}{credentials}");
        assert_eq!(program.ran(), runs, "{config}{credentials}{environment:?}{profile:?}");
    }
}

/// As for boto3: only a role is assumed with another profile's credentials.
#[test]
fn a_source_profile_without_a_role_is_for_nothing() {
    let server = server();
    let program = Program::new("x", "AKIAIOSFODNN7EXAMPLE", "any");
    let files = Files::new(&format!("[default]\nsource_profile = other\n{}", line(&program.path(), "x")), "");
    let settings = [("region", REGION), ("endpoint-url", &*server.endpoint())];
    assert_eq!(answer(&settings, &borrowed(&files.environment())), VALUE);
    assert!(program.ran());
}

/// As for boto3: a pod's own identity counts before what the profile has, unless that assumes a role.
#[test]
fn a_web_identity_counts_before_it() {
    let server = server();
    let program = Program::new("x", "AKIAIOSFODNN7EXAMPLE", "any");
    for keys in [line(&program.path(), "x"), KEYS.to_owned()] {
        let files = Files::new(&format!("[default]\n{keys}"), "");
        let files = files.environment();
        let identity = [
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/token"),
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x"),
        ];
        let environment = [borrowed(&files), identity.to_vec()].concat();
        let endpoint = server.endpoint();
        let told = answer(&[("region", REGION), ("endpoint-url", &*endpoint)], &environment);
        assert!(
            told.contains("the token file /no/such/token (AWS_WEB_IDENTITY_TOKEN_FILE) cannot be read"),
            "{told}"
        );
        // A profile that the source names counts before both.
        assert_eq!(
            answer(&[("region", REGION), ("endpoint-url", &*endpoint), ("profile", "default")], &environment),
            VALUE
        );
    }
}

#[test]
fn what_is_wrong_names_the_profile_and_the_line() {
    let files = Files::new("[default]\ncredential_process = /no/such/program\n", "");
    let told = answer(&[("region", REGION)], &borrowed(&files.environment()));
    let expected = "unauthenticated: no credentials: the credential process of the profile `default` (";
    assert!(told.starts_with(expected), "{told}");
    assert!(told.contains("config, line 2) cannot be started: No such file"), "{told}");
}
