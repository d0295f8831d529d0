//! Answers that ask for patience, or that would go on for ever; and keys that are disabled.

use std::time::Duration;

use secretdir_provider::{Provider as _, SecretRequest, Settings, SourceErrorKind};
use secretdir_testkit::{REGION, Reply, Strict, Stub};

use crate::environment::answer;
use crate::parameters;
use crate::support::{self, fetch_within, seen, some_key, source, table};

/// Asks a server that always gives this answer for two secrets.
async fn batch(body: &str) -> (Stub, Vec<Result<Vec<u8>, SourceErrorKind>>) {
    let stub = Stub::start(Reply::json(200, body));
    let source = source(&stub.endpoint(), &some_key());
    let (told, _) = support::ask(&*source, &["a", "b"].map(SecretRequest::new)).await;
    (stub, told)
}

#[tokio::test]
async fn an_empty_token_is_none() {
    for token in ["\"\"", "null"] {
        let (stub, told) = batch(&format!(
            r#"{{"SecretValues":[{{"Name":"a","SecretString":"v"}}],"Errors":[],"NextToken":{token}}}"#
        ))
        .await;
        assert_eq!(told, [Ok(b"v".to_vec()), Err(SourceErrorKind::InvalidData)]);
        assert_eq!(stub.requests(), 1);
    }
}

#[tokio::test]
async fn a_token_that_comes_back_ends_the_call() {
    for values in ["", r#"{"Name":"a","SecretString":"v"}"#] {
        let (stub, told) = batch(&format!(r#"{{"SecretValues":[{values}],"NextToken":"x"}}"#)).await;
        assert_eq!(told[1], Err(SourceErrorKind::InvalidData));
        assert_eq!(stub.requests(), 2);
    }
}

#[tokio::test]
async fn what_is_answered_needs_no_further_page() {
    let values = r#"[{"Name":"a","SecretString":"v"},{"Name":"b","SecretString":"w"}]"#;
    let (stub, told) = batch(&format!(r#"{{"SecretValues":{values},"NextToken":"x"}}"#)).await;
    assert_eq!(told, [Ok(b"v".to_vec()), Ok(b"w".to_vec())]);
    assert_eq!(stub.requests(), 1);
}

#[tokio::test]
async fn too_many_requests_without_a_code_are_throttled_and_asked_again() {
    for wait in ["0", "Wed, 21 Oct 2015 07:28:00 GMT"] {
        let headers = vec![("retry-after".to_owned(), wait.to_owned())];
        let stub = Stub::start(Reply::Answer { status: 429, headers, body: b"slow down".to_vec() });
        let source = source(&stub.endpoint(), &some_key());
        let told = seen(fetch_within(Duration::from_secs(2), &*source, SecretRequest::new("a")).await);
        assert_eq!(told.kind, SourceErrorKind::Throttled, "{}", told.cause);
        assert!((2..=5).contains(&stub.requests()), "{}", stub.requests());
    }
}

#[tokio::test]
async fn a_date_far_away_is_waited_for_and_not_asked_before() {
    let headers = vec![("retry-after".to_owned(), "Fri, 31 Dec 2299 23:59:59 GMT".to_owned())];
    let stub = Stub::start(Reply::Answer { status: 429, headers, body: Vec::new() });
    let source = source(&stub.endpoint(), &some_key());
    let told = seen(fetch_within(Duration::from_secs(5), &*source, SecretRequest::new("a")).await);
    assert_eq!((told.kind, stub.requests()), (SourceErrorKind::Throttled, 1));
}

#[test]
fn a_container_that_throttles_is_asked_again() {
    let headers = vec![("retry-after".to_owned(), "0".to_owned())];
    let container = Stub::start(Reply::Answer { status: 429, headers, body: Vec::new() });
    let told =
        answer(&[("region", REGION)], &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container.endpoint())]);
    assert!(told.starts_with("throttled: no credentials: "), "{told}");
    // A run that needs one call makes at most 2 N + 3.
    assert_eq!(container.requests(), 5);
}

#[tokio::test]
async fn a_key_that_is_disabled_fails_its_own_parameter_alone() {
    let server = Strict::start();
    server.put("/app/a", "value");
    server.disable_key("/app/b");
    server.disable_key("/app/c");
    let settings = table(&[("region", REGION), ("endpoint-url", &server.endpoint())]);
    let source = parameters::provider(&some_key()).source(Settings::new(settings, "/")).unwrap();
    let (told, _) = support::ask(&*source, &["/app/a", "/app/b", "/app/c"].map(SecretRequest::new)).await;
    let denied = SourceErrorKind::PermissionDenied;
    assert_eq!(told, [Ok(b"value".to_vec()), Err(denied), Err(denied)]);
    let told = seen(support::fetch(&*source, SecretRequest::new("/app/b")).await);
    assert!(told.hint.contains("kms:Decrypt"), "{}", told.hint);
}
