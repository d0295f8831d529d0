//! What the tests share: sources, contexts, and a look at errors.

use std::error::Error;
use std::fmt::Debug;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::time::Duration;

use aws_credential_types::Credentials;
use secretdir_provider::{
    Provider, Retry, RunContext, Secret, SecretRequest, SecretSource, Settings, SourceError, SourceErrorKind,
    Table, Value, Warnings,
};
use secretdir_provider_aws::{AwsSecretsManager, WithCredentials};
use secretdir_testkit::{AccessKey, REGION};

/// What may be shown of the SDK's traces: see the README.
pub(crate) const SAFE_TRACES: &str = "error";

/// Longer than any test takes that goes well.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) fn table(entries: &[(&str, &str)]) -> Table {
    entries.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
}

pub(crate) fn provider(key: &AccessKey) -> WithCredentials {
    provider_with_token(key, None)
}

pub(crate) fn provider_with_token(key: &AccessKey, token: Option<&str>) -> WithCredentials {
    let token = token.map(str::to_owned);
    AwsSecretsManager.with_credentials(Credentials::new(&key.id, &key.secret, token, None, "tests"))
}

/// Makes a source that asks this endpoint with this key.
pub(crate) fn source(endpoint: &str, key: &AccessKey) -> Box<dyn SecretSource> {
    build(&provider(key), &[("region", REGION), ("endpoint-url", endpoint)])
}

pub(crate) fn build(provider: &WithCredentials, entries: &[(&str, &str)]) -> Box<dyn SecretSource> {
    provider.source(Settings::new(table(entries), "/")).unwrap()
}

/// Returns a key that no server knows.
pub(crate) fn some_key() -> AccessKey {
    AccessKey { id: "AKIAIOSFODNN7EXAMPLE".to_owned(), secret: "a-secret-key-of-nobody".to_owned() }
}

/// Returns an endpoint where nobody listens: the port was free a moment ago.
pub(crate) fn endpoint_of_nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

pub(crate) async fn fetch(source: &dyn SecretSource, request: SecretRequest) -> Result<Secret, SourceError> {
    fetch_within(LONG, source, request).await
}

pub(crate) async fn fetch_within(
    time: Duration,
    source: &dyn SecretSource,
    request: SecretRequest,
) -> Result<Secret, SourceError> {
    source.check(&request).unwrap();
    let context = RunContext::builder().timeout(time).concurrency(NonZeroUsize::MIN).build();
    // The engine cuts a fetch off at the deadline; here that is a failure.
    tokio::time::timeout(time, source.fetch(&context, &request)).await.unwrap()
}

/// Asks for several secrets at once. Returns their values, or the kinds of the errors, and the warnings.
pub(crate) async fn ask(
    source: &dyn SecretSource,
    requests: &[SecretRequest],
) -> (Vec<Result<Vec<u8>, SourceErrorKind>>, Vec<String>) {
    let warnings = Warnings::default();
    let context = RunContext::builder().timeout(LONG).warnings(warnings.clone()).build();
    let answers = secretdir_conformance::fetch_all(source, &context, requests).await.into_iter();
    let answers = answers.map(|answer| match answer {
        Ok(secret) => Ok(secret.expose_secret().to_vec()),
        Err(error) => Err(error.kind()),
    });
    (answers.collect(), warnings.to_vec())
}

/// An error as an operator sees it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) kind: SourceErrorKind,
    pub(crate) cause: String,
    pub(crate) hint: String,
}

/// Returns what a failed fetch or listing says, and checks what holds for every failure.
pub(crate) fn seen<T: Debug>(answer: Result<T, SourceError>) -> Seen {
    let error = answer.unwrap_err();
    let cause = error.source().unwrap().to_string();
    assert!(!cause.contains('\n'), "the cause has several lines: {cause}");
    assert_eq!(error.retry(), Retry::No, "the SDK retries already");
    Seen { kind: error.kind(), cause, hint: error.hint().unwrap_or_default().to_owned() }
}

/// Returns an error and its causes on one line.
pub(crate) fn chain(error: &SourceError) -> String {
    let causes = std::iter::successors(Some(error as &(dyn Error + 'static)), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
