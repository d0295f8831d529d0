//! One run after another, with one source: what was learned in one is not held against the next.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::process::Command;

use secretdir_provider::{Provider as _, RunContext, SecretRequest, SecretSource, Settings, Warnings};
use secretdir_provider_aws::AwsSecretsManager;
use secretdir_testkit::{REGION, Reply, Stub};
use tempfile::TempDir;

use crate::environment::ANY_KEY;
use crate::support::{LONG, chain, some_key, source, table};

/// Where the child finds what it writes into its configuration file, one text for each run.
const CONFIGS: &str = "SECRETDIR_TEST_CONFIGS";

const SEPARATOR: &str = "\n--\n";

fn value(text: &str) -> Reply {
    Reply::json(200, format!(r#"{{"SecretString":"{text}","VersionId":"1"}}"#))
}

/// Runs in a child process: writes the configuration file anew before each run, and prints what comes of each.
#[tokio::test]
#[ignore = "the tests below run it, in processes with an environment of their own"]
async fn child() {
    let file = env::var("AWS_CONFIG_FILE").unwrap();
    let source = AwsSecretsManager.source(Settings::new(table(&[]), "/")).unwrap();
    for config in env::var(CONFIGS).unwrap().split(SEPARATOR) {
        fs::write(&file, config).unwrap();
        let line = match ask_once(&*source).await {
            Ok(value) => format!("value: {value}"),
            Err(error) => error,
        };
        writeln!(io::stdout(), "ANSWER {line}").unwrap();
    }
}

async fn ask_once(source: &dyn SecretSource) -> Result<String, String> {
    let run = RunContext::builder().timeout(LONG).build();
    let answer = source.fetch(&run, &SecretRequest::new("app/db")).await;
    answer.map(|secret| secret.expose_secret().escape_ascii().to_string()).map_err(|error| chain(&error))
}

/// Returns what comes of runs that find these configuration files.
fn runs(configs: &[String]) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "runs::child", "--ignored", "--nocapture"])
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("AWS_CONFIG_FILE", folder.path().join("config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env(CONFIGS, configs.join(SEPARATOR))
        .envs(ANY_KEY)
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let answers = printed.lines().filter_map(|line| line.split_once("ANSWER "));
    answers.map(|(_, answer)| answer.to_owned()).collect()
}

fn config(endpoint: &str) -> String {
    format!("[default]\nregion = {REGION}\nendpoint_url = {endpoint}\n")
}

#[test]
fn a_region_that_is_configured_later_is_found() {
    let stub = Stub::start(value("found"));
    let answers = runs(&["[default]\n".to_owned(), config(&stub.endpoint())]);
    assert!(answers[0].contains("no region"), "{answers:?}");
    assert_eq!(answers[1], "value: found");
}

#[test]
fn an_endpoint_that_is_configured_anew_is_asked() {
    let (old, new) = (Stub::start(value("old")), Stub::start(value("new")));
    let answers = runs(&[config(&old.endpoint()), config(&new.endpoint()), config(&new.endpoint())]);
    assert_eq!(answers, ["value: old", "value: new", "value: new"]);
    assert_eq!((old.requests(), new.requests()), (1, 2));
}

#[test]
fn a_file_that_is_put_right_counts_in_the_next_run() {
    let stub = Stub::start(value("found"));
    let answers = runs(&["[default\n".to_owned(), config(&stub.endpoint())]);
    assert!(answers[0].contains("line 1, comes before the first section"), "{answers:?}");
    assert_eq!(answers[1], "value: found");
}

#[tokio::test]
async fn a_refusal_of_batches_holds_for_one_run_and_is_warned_of_in_each() {
    let denied = Reply::json(400, r#"{"__type":"AccessDeniedException"}"#);
    let stub = Stub::by_text(vec![("SecretIdList", denied), ("", value("alone"))]);
    let source = source(&stub.endpoint(), &some_key());
    let requests = ["a", "b"].map(SecretRequest::new);
    for run in 1..=2 {
        let warnings = Warnings::default();
        let context = RunContext::builder().timeout(LONG).warnings(warnings.clone()).build();
        let answers = secretdir_conformance::fetch_all(&*source, &context, &requests).await;
        assert!(answers.iter().all(Result::is_ok));
        // Each run tries the batch once.
        assert_eq!(stub.requests(), 3 * run);
        let [warning] = warnings.to_vec().try_into().unwrap();
        assert!(warning.contains("BatchGetSecretValue is refused"), "{warning}");
    }
}
