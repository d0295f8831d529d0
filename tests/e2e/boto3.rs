//! The command and boto3, asked the same random questions on a real moto server: `boto3/differential.py` says how.

use std::fs;
use std::path::Path;
use std::process::Command;

use secretdir_testkit::{Moto, Ran, python};
use tempfile::NamedTempFile;

use crate::support::{COMMAND, contract};

/// How many rounds each seed has, unless `SECRETDIR_BOTO3_ROUNDS` says so.
const ROUNDS: &str = "2";

/// Runs the script on this server, which must be used by nobody else.
fn script(moto: &Moto, arguments: &[&str]) -> Ran {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/e2e/boto3/differential.py");
    let mut command = Command::new(python());
    command.arg(script).arg(COMMAND).arg(moto.endpoint()).args(arguments);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(moto.environment());
    let answers = NamedTempFile::new().unwrap();
    let ran = Ran::of(command.env("SECRETDIR_ANSWERS", answers.path()));
    let answers = fs::read_to_string(answers.path()).unwrap();
    assert!(!answers.is_empty(), "{ran:?}");
    for answer in answers.lines() {
        contract::validate(&serde_json::from_str(answer).unwrap()).unwrap();
    }
    ran
}

#[test]
fn the_command_gives_what_boto3_gives_byte_for_byte_and_fails_where_it_fails() {
    let moto = Moto::start();
    let rounds = std::env::var("SECRETDIR_BOTO3_ROUNDS").unwrap_or_else(|_| ROUNDS.to_owned());
    for seed in ["1".to_owned(), std::process::id().to_string()] {
        // A failure prints the seed, the round, and how to repeat it.
        let ran = script(&moto, &["--seed", &seed, "--rounds", &rounds]).expect_exit(0);
        assert!(ran.stdout.starts_with(&format!("seed {seed}: ")), "{ran:?}");
    }
}

#[test]
fn what_is_spoiled_is_noticed() {
    let moto = Moto::start();
    let ran = script(&moto, &["--self-test"]).expect_exit(0);
    assert!(ran.stdout.starts_with("self-test: "), "{ran:?}");
}
