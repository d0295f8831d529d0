//! What no real server does when it is asked to: faults of the service and of the network.

use std::time::Duration;

use secretdir_provider::{SecretRequest, SourceErrorKind};
use secretdir_testkit::{Canary, Reply, Stub};

use crate::support::{Seen, endpoint_of_nobody, fetch, fetch_within, seen, some_key, source};

async fn refusal(stub: &Stub) -> Seen {
    seen(fetch(&*source(&stub.endpoint(), &some_key()), SecretRequest::new("app/db")).await)
}

#[tokio::test]
async fn throttling_is_throttling_although_its_status_is_400() {
    let body = r#"{"__type":"ThrottlingException","Message":"Rate exceeded"}"#;
    let stub = Stub::start(Reply::json(400, body));
    let source = source(&stub.endpoint(), &some_key());
    let error = seen(fetch_within(Duration::from_secs(6), &*source, SecretRequest::new("app/db")).await);
    assert_eq!(error.kind, SourceErrorKind::Throttled);
    assert!(error.cause.starts_with("ThrottlingException: "), "{}", error.cause);
    assert!(error.hint.contains("concurrency"), "{}", error.hint);
    // Once, twice again by the SDK, and twice more in what is left of the time; the SDK may run out of it.
    assert!((3..=5).contains(&stub.requests()), "{} calls", stub.requests());
}

#[tokio::test]
async fn a_server_error_without_a_code_is_unavailable() {
    let stub =
        Stub::start(Reply::Answer { status: 503, headers: Vec::new(), body: b"<html>busy</html>".to_vec() });
    let error = refusal(&stub).await;
    assert_eq!(error.kind, SourceErrorKind::Unavailable);
    assert_eq!(error.cause, "HTTP 503 without an error code of AWS");
}

#[tokio::test]
async fn an_internal_error_is_unavailable() {
    let stub =
        Stub::start(Reply::json(500, r#"{"__type":"InternalServiceError","Message":"An error occurred"}"#));
    let error = refusal(&stub).await;
    assert_eq!(error.kind, SourceErrorKind::Unavailable);
    assert_eq!(error.cause, "InternalServiceError: An error occurred");
}

#[tokio::test]
async fn an_expired_token_is_unauthenticated() {
    let body = r#"{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"The security token is expired"}"#;
    let error = refusal(&Stub::start(Reply::json(400, body))).await;
    assert_eq!(error.kind, SourceErrorKind::Unauthenticated);
    assert_eq!(error.cause, "ExpiredTokenException: The security token is expired");
    assert!(error.hint.contains("renew"), "{}", error.hint);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_invalid_and_is_not_quoted() {
    let canary = Canary::new("value", "hunter2-hunter2");
    for body in ["hunter2-hunter2", r#"{"SecretString":"hunter2-hunter2" hunter2-hunter2}"#] {
        let stub = Stub::start(Reply::json(200, body));
        let error = refusal(&stub).await;
        assert_eq!(error.kind, SourceErrorKind::InvalidData);
        assert_eq!(error.cause, format!("a reply that cannot be read: HTTP 200, {} bytes", body.len()));
        canary.assert_absent("the error", format!("{error:?}"));
    }
}

#[tokio::test]
async fn an_answer_without_a_value_is_invalid() {
    let error = refusal(&Stub::start(Reply::json(200, r#"{"Name":"app/db","VersionId":"1"}"#))).await;
    assert_eq!(error.kind, SourceErrorKind::InvalidData);
    assert_eq!(error.cause, "the answer holds neither a string nor binary data");
}

#[tokio::test]
async fn a_page_of_another_server_is_no_answer_of_aws() {
    let stub =
        Stub::start(Reply::Answer { status: 404, headers: Vec::new(), body: b"<html></html>".to_vec() });
    let error = refusal(&stub).await;
    assert_eq!(error.kind, SourceErrorKind::InvalidData);
    assert_eq!(error.cause, "HTTP 404 without an error code of AWS");
    assert!(error.hint.contains("endpoint-url"), "{}", error.hint);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_unavailable() {
    let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"SecretString\":\"hunter2-hun";
    let error = refusal(&Stub::start(Reply::Raw(begun.to_vec()))).await;
    assert_eq!(error.kind, SourceErrorKind::Unavailable, "{}", error.cause);
    Canary::new("value", "hunter2-").assert_absent("the error", format!("{error:?}"));
}

#[tokio::test]
async fn where_nobody_listens_is_unavailable_soon() {
    let endpoint = endpoint_of_nobody();
    let source = source(&endpoint, &some_key());
    // Long before the deadline: that would be a time-out.
    let error = seen(fetch(&*source, SecretRequest::new("app/db")).await);
    assert_eq!(error.kind, SourceErrorKind::Unavailable);
    let place = endpoint.trim_start_matches("http://");
    let expected = format!("Secrets Manager in eu-west-1: Connection refused (os error 111), at {place}");
    assert_eq!(error.cause, expected);
}

#[tokio::test]
async fn an_endpoint_that_never_answers_times_out_before_the_deadline() {
    let stub = Stub::start(Reply::Silence);
    let source = source(&stub.endpoint(), &some_key());
    let answer = fetch_within(Duration::from_secs(2), &*source, SecretRequest::new("app/db")).await;
    let error = seen(answer);
    assert_eq!(error.kind, SourceErrorKind::TimedOut);
    assert_eq!(error.cause, "Secrets Manager in eu-west-1 did not answer in time");
    assert!(error.hint.ends_with(stub.endpoint().trim_start_matches("http://")), "{}", error.hint);
}
