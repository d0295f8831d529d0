//! What the SDK finds in the environment, which only a process of its own can have.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::process::Command;

use secretdir_provider::{Provider as _, RunContext, SecretRequest, Settings, Value};
use secretdir_provider_aws::{AwsParameterStore, AwsSecretsManager};
use secretdir_testkit::{Canary, Moto, REGION, Reply, Strict, Stub};
use tempfile::{NamedTempFile, TempDir};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::support::{LONG, SAFE_TRACES, chain, table};

const SETTINGS: &str = "SECRETDIR_TEST_SETTINGS";
const REQUESTS: &str = "SECRETDIR_TEST_REQUESTS";
pub(crate) const TRACES: &str = "SECRETDIR_TEST_TRACES";
pub(crate) const SERVICE: &str = "SECRETDIR_TEST_SERVICE";

/// Runs in a child process: fetches, and prints what comes of it.
#[tokio::test]
#[ignore = "the tests below run it, in processes with an environment of their own"]
async fn child() {
    let var = |name| env::var(name).unwrap();
    if let Ok(limit) = env::var(TRACES) {
        let limit: Targets = limit.parse().unwrap();
        let log = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(io::stderr);
        tracing_subscriber::registry().with(limit).with(log).init();
    }
    let settings = var(SETTINGS);
    let settings: Vec<_> = settings.lines().filter_map(|line| line.split_once('=')).collect();
    let typed = |(key, value): (String, Value)| match value {
        Value::String(text) if text == "true" => (key, Value::Boolean(true)),
        value => (key, value),
    };
    let settings = Settings::new(table(&settings).into_iter().map(typed).collect(), "/");
    let source = match env::var(SERVICE).as_deref() {
        Ok("parameters") => AwsParameterStore.source(settings),
        _ => AwsSecretsManager.source(settings),
    };
    let source = source.unwrap();
    let context = RunContext::builder().timeout(LONG).concurrency(NonZeroUsize::new(16).unwrap()).build();
    let requests: Vec<_> = var(REQUESTS).split(' ').map(SecretRequest::new).collect();
    for answer in secretdir_conformance::fetch_all(&*source, &context, &requests).await {
        let line = match answer {
            Ok(secret) => format!("value: {}", secret.expose_secret().escape_ascii()),
            Err(error) => format!("{}; hint: {}", chain(&error), error.hint().unwrap_or_default()),
        };
        writeln!(io::stdout(), "ANSWER {line}").unwrap();
    }
}

/// What a child process printed.
pub(crate) struct Output {
    pub(crate) answers: Vec<String>,
    pub(crate) traces: Vec<u8>,
}

pub(crate) fn run(settings: &[(&str, &str)], requests: &str, environment: &[(&str, &str)]) -> Output {
    run_by(Command::new("env"), settings, requests, environment)
}

/// Runs a child through a program, which is given the command for its last arguments.
pub(crate) fn run_by(
    mut program: Command,
    settings: &[(&str, &str)],
    requests: &str,
    environment: &[(&str, &str)],
) -> Output {
    let settings: String = settings.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
    let output = program
        .arg(env::current_exe().unwrap())
        .args(["--exact", "environment::child", "--ignored", "--nocapture"])
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env(SETTINGS, settings)
        .env(REQUESTS, requests)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let answers =
        printed.lines().filter_map(|line| line.split_once("ANSWER ")).map(|(_, answer)| answer.to_owned());
    Output { answers: answers.collect(), traces: output.stderr }
}

/// A key that no server of these tests checks.
pub(crate) const ANY_KEY: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "any")];

/// Returns the only answer of a child that made one request.
pub(crate) fn answer(settings: &[(&str, &str)], environment: &[(&str, &str)]) -> String {
    let Output { answers, traces } = run(settings, "app/db", environment);
    let [answer] = answers.as_slice() else {
        panic!("{} answers to one request: {}", answers.len(), String::from_utf8_lossy(&traces));
    };
    answer.clone()
}

/// A folder with AWS's two files.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new(config: &str, credentials: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("config"), config).unwrap();
        fs::write(folder.path().join("credentials"), credentials).unwrap();
        Self(folder)
    }

    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        let path = |name| self.0.path().join(name).to_str().unwrap().to_owned();
        [("AWS_CONFIG_FILE", path("config")), ("AWS_SHARED_CREDENTIALS_FILE", path("credentials"))]
    }
}

pub(crate) fn borrowed<'a>(environment: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    environment.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[test]
fn a_key_and_a_region_in_the_environment_are_used() {
    let moto = Moto::start();
    moto.create_string("app/db", "hunter2");
    let environment = moto.environment();
    let mut environment = borrowed(&environment);
    environment.push(("AWS_REGION", REGION));
    assert_eq!(answer(&[("endpoint-url", &moto.endpoint())], &environment), "value: hunter2");
}

#[test]
fn a_profile_of_the_settings_gives_key_and_region_whatever_key_is_in_the_environment() {
    let moto = Moto::start();
    moto.create_string("app/db", "hunter2");
    let key = moto.access_key();
    let config = format!("[profile prod]\nregion = {REGION}\n");
    let credentials =
        format!("[prod]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret);
    let files = Files::new(&config, &credentials);
    let environment = files.environment();
    let environment = [borrowed(&environment), ANY_KEY.to_vec()].concat();
    let settings = [("profile", "prod"), ("endpoint-url", &moto.endpoint())];
    assert_eq!(answer(&settings, &environment), "value: hunter2");
}

/// Fetches a secret where these variables are the only way to credentials.
fn fetched_with(environment: &[(&str, &str)]) -> String {
    let server = Strict::start();
    server.put("app/db", "hunter2");
    answer(&[("region", REGION), ("endpoint-url", &server.endpoint())], environment)
}

#[test]
fn a_container_gives_credentials() {
    let credentials = r#"{"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"any","Token":"any","Expiration":"2099-01-01T00:00:00Z"}"#;
    let container = Stub::start(Reply::json(200, credentials));
    let told = fetched_with(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container.endpoint())]);
    assert_eq!((&*told, container.requests()), ("value: hunter2", 1));
}

#[test]
fn a_web_identity_gives_credentials() {
    let answer = "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
        <AccessKeyId>AKIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>any</SecretAccessKey>\
        <SessionToken>any</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
        </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
    let headers = vec![("content-type".to_owned(), "text/xml".to_owned())];
    let sts = Stub::start(Reply::Answer { status: 200, headers, body: answer.into() });
    let token = NamedTempFile::new().unwrap();
    fs::write(token.path(), "the-token").unwrap();
    let told = fetched_with(&[
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.path().to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/app"),
        ("AWS_ENDPOINT_URL_STS", &sts.endpoint()),
    ]);
    assert_eq!((&*told, sts.requests()), ("value: hunter2", 1));
    assert!(sts.seen()[0].1.contains("WebIdentityToken=the-token"));
}

#[test]
fn no_credentials_are_unauthenticated_with_a_hint() {
    let told = answer(&[("region", REGION)], &[]);
    assert!(
        told.starts_with("unauthenticated: no credentials were found; hint: set AWS_ACCESS_KEY_ID"),
        "{told}"
    );
}

#[test]
fn a_profile_that_is_not_there_is_named() {
    let files = Files::new("[profile other]\nregion = eu-west-1\n", "");
    let environment = files.environment();
    let told = answer(&[("region", REGION), ("profile", "prod")], &borrowed(&environment));
    assert!(told.starts_with("unauthenticated: no credentials: profile `prod` was not defined"), "{told}");
    assert!(told.contains("hint: is the profile `prod`"), "{told}");
}

#[test]
fn no_region_is_said_with_the_setting_to_add() {
    let told = answer(&[], &ANY_KEY);
    assert_eq!(
        told,
        "invalid request: no region is configured; hint: set `region` in the source, AWS_REGION in the environment, \
         or region in the profile"
    );
}

#[test]
fn where_the_instance_does_not_answer_many_requests_wait_no_longer_than_one() {
    let stub = Stub::start(Reply::Silence);
    let endpoint = stub.endpoint();
    let environment =
        [("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint.as_str())];
    let names: Vec<_> = (0..40).map(|n| format!("app/{n}")).collect();
    let output = run(&[("region", REGION)], &names.join(" "), &environment);
    assert_eq!(output.answers.len(), 40);
    for told in &output.answers {
        assert!(told.starts_with("unauthenticated: no credentials were found"), "{told}");
    }
    assert!(stub.requests() <= 3, "the instance was asked {} times", stub.requests());
}

#[test]
fn what_a_role_is_refused_for_is_told() {
    let refusal = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
        <Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>";
    let stub = Stub::start(Reply::Answer { status: 403, headers: Vec::new(), body: refusal.into() });
    let token = NamedTempFile::new().unwrap();
    fs::write(token.path(), "token").unwrap();
    let environment = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.path().to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/app"),
        ("AWS_ENDPOINT_URL_STS", &stub.endpoint()),
    ];
    let told = answer(&[("region", REGION)], &environment);
    let expected = "unauthenticated: no credentials: AccessDenied: Not authorized to perform \
        sts:AssumeRoleWithWebIdentity; hint: ";
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn what_is_wrong_in_a_file_or_a_process_with_credentials_is_not_quoted() {
    let config = "[profile prints]\ncredential_process = /bin/echo canary-of-a-key\n\
        [profile fails]\ncredential_process = /bin/sh -c \"echo canary-of-a-key >&2; exit 3\"\n";
    let processes = Files::new(config, "");
    let broken = Files::new("", "[broken]\naws_access_key_id = AKIA\ncanary-of-a-key\n");
    for (profile, files) in [("prints", &processes), ("fails", &processes), ("broken", &broken)] {
        let environment = files.environment();
        let environment = [borrowed(&environment), vec![(TRACES, SAFE_TRACES)]].concat();
        let output = run(&[("region", REGION), ("profile", profile)], "app/db", &environment);
        let told = output.answers.concat();
        assert!(told.starts_with("unauthenticated: no credentials: "), "{told}");
        let canary = Canary::new("key", "canary-of-a-key");
        canary.assert_absent("the error", &told);
        canary.assert_absent("the traces", &output.traces);
    }
}

/// The SDK prints bodies when it is asked to; a container's credentials come in one, the secret in another.
#[test]
fn even_bodies_that_the_sdk_is_asked_to_log_are_not_traced() {
    let expiry = "2099-01-01T00:00:00Z";
    let container = Stub::start(Reply::json(
        200,
        format!(
            r#"{{"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"canary-of-a-key","Token":"canary-of-a-token","Expiration":"{expiry}"}}"#
        ),
    ));
    let store = Stub::start(Reply::json(200, r#"{"SecretString":"canary-of-a-value","VersionId":"1"}"#));
    let (container_uri, store_uri) = (container.endpoint(), store.endpoint());
    let traced = |limit: &str| {
        let environment = [
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", container_uri.as_str()),
            ("LOG_SENSITIVE_BODIES", "true"),
            (TRACES, limit),
        ];
        let output = run(&[("region", REGION), ("endpoint-url", &store_uri)], "app/db", &environment);
        assert_eq!(output.answers, ["value: canary-of-a-value"]);
        output.traces
    };

    let limited = traced(SAFE_TRACES);
    let unlimited = traced("trace");
    for value in ["canary-of-a-key", "canary-of-a-token", "canary-of-a-value"] {
        let canary = Canary::new(value, value);
        canary.assert_absent("the traces", &limited);
        assert!(
            canary.find(&unlimited).is_some(),
            "{value} is not in what the SDK logs: is the limit needed?"
        );
    }
}

/// A reply of STS that cannot be read is a warning of the SDK, with the body in it.
#[test]
fn already_a_warning_of_the_sdk_can_hold_credentials() {
    let reply = "<AssumeRoleWithWebIdentityResponse><SecretAccessKey>canary-of-a-key</SecretAccessKey>";
    let stub = Stub::start(Reply::Answer { status: 200, headers: Vec::new(), body: reply.into() });
    let endpoint = stub.endpoint();
    let told = |limit: &str| {
        let environment = [
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/proc/self/status"),
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/app"),
            ("AWS_ENDPOINT_URL_STS", endpoint.as_str()),
            (TRACES, limit),
        ];
        let output = run(&[("region", REGION)], "app/db", &environment);
        [output.answers.concat().into_bytes(), output.traces].concat()
    };
    let canary = Canary::new("key", "canary-of-a-key");
    canary.assert_absent("the error and the traces", told(SAFE_TRACES));
    assert!(canary.find(told("warn")).is_some(), "the SDK warns of less than it did: is the limit needed?");
}
