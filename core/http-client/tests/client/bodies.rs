//! What is sent and what comes back.

use secretdir_http_client::{Fault, HeaderName, HeaderValue, Method, Request, secret_header};
use secretdir_provider::{Retry, SourceErrorKind};
use secretdir_testkit::{Framing, Reply, Stub};

use crate::support::{SOON, body, failure, get, plain, run, send, told};

#[tokio::test]
async fn a_request_arrives_as_it_was_made() {
    let stub = Stub::start(Reply::json(201, r#"{"a": 1}"#));
    for (method, line) in [
        (Method::Get, "GET /v1/a%20b?list=true HTTP/1.1"),
        (Method::Post, "POST /v1/a%20b?list=true HTTP/1.1"),
        (Method::Put, "PUT /v1/a%20b?list=true HTTP/1.1"),
        (Method::List, "LIST /v1/a%20b?list=true HTTP/1.1"),
    ] {
        let url = format!("{}/v1/a%20b?list=true", stub.endpoint()).parse().unwrap();
        let token = secret_header("hunter2").unwrap();
        let request = Request::new(method, url)
            .with_header(HeaderName::from_static("x-vault-token"), token)
            .with_header(HeaderName::from_static("x-vault-request"), HeaderValue::from_static("true"))
            .with_body(&b"a body"[..]);
        let answer = plain().send(&run(), request).await.unwrap();
        assert_eq!((answer.status(), answer.body().expose_secret()), (201, &br#"{"a": 1}"#[..]));
        assert_eq!(answer.header("Content-Type"), Some("application/x-amz-json-1.1"));
        assert_eq!(stub.seen().pop().unwrap(), (line.to_owned(), "a body".to_owned()));
        assert_eq!(stub.headers("x-vault-token").pop().unwrap().as_deref(), Some("hunter2"));
    }
    let agent = stub.headers("user-agent").pop().unwrap().unwrap();
    assert!(agent.starts_with("secretdir/"), "{agent}");
}

#[test]
fn debug_shows_nothing_that_is_secret() {
    let request = get("http://store.test")
        .with_header(HeaderName::from_static("x-vault-token"), secret_header("canary-1").unwrap())
        .with_body(&b"canary-2"[..]);
    let shown = format!("{request:?}");
    assert!(shown.contains("store.test") && !shown.contains("canary"), "{shown}");
    assert!(secret_header(b"a\r\nb: c".to_vec()).is_err());
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = Stub::start(Reply::json(200, "{}"));
    let headers = vec![("location".to_owned(), elsewhere.endpoint())];
    let stub = Stub::start(Reply::Answer { status: 307, headers, body: Vec::new() });
    let answer = send(&plain(), &stub.endpoint()).await.unwrap();
    assert_eq!((answer.status(), answer.header("location")), (307, Some(elsewhere.endpoint().as_str())));
    assert_eq!(elsewhere.requests(), 0);
}

#[tokio::test]
async fn an_answer_has_as_many_bytes_as_the_request_allows_and_no_more() {
    let stub = Stub::start(Reply::json(200, vec![b'x'; 1000]));
    let fetched = |most| plain_fetch(&stub, most);
    assert_eq!(fetched(1000).await.unwrap().body().len(), 1000);
    let told = told(fetched(999).await.unwrap_err());
    assert_eq!(
        (told.fault, told.kind, told.retry),
        (Fault::TooLarge, SourceErrorKind::InvalidData, Retry::No)
    );
    assert!(told.cause.ends_with(": the answer is larger than 999 bytes"), "{}", told.cause);
    assert!(told.cause.starts_with("127.0.0.1:"), "{}", told.cause);
}

async fn plain_fetch(
    stub: &Stub,
    most: usize,
) -> Result<secretdir_http_client::Response, secretdir_http_client::ClientError> {
    plain().send(&run(), get(&stub.endpoint()).with_max_bytes(most)).await
}

#[tokio::test]
async fn an_answer_without_an_end_is_cut_off() {
    for framing in [Framing::Length, Framing::Chunked] {
        let stub = Stub::start(Reply::endless(200, framing));
        let told = failure(&plain(), &stub.endpoint()).await;
        assert_eq!(told.fault, Fault::TooLarge, "{framing:?}: {told:?}");
        assert!(stub.sent() < 32 << 20, "{framing:?}: {}", stub.sent());
    }
}

#[tokio::test]
async fn half_an_answer_is_none() {
    for raw in [
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\ncanary",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\ncanary\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\ncanary\r\n0\r\n\r\n",
    ] {
        let stub = Stub::start(Reply::Raw(raw.into()));
        let told = failure(&plain(), &stub.endpoint()).await;
        assert_eq!(
            (told.fault, told.kind, told.retry),
            (Fault::Truncated, SourceErrorKind::Unavailable, SOON)
        );
        assert!(told.cause.contains(": the answer broke off: "), "{}", told.cause);
    }
}

#[tokio::test]
async fn no_memory_is_taken_for_what_is_only_announced() {
    let stub =
        Stub::start(Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9000000000000000\r\n\r\nx".to_vec()));
    let told = told(plain_fetch(&stub, usize::MAX).await.unwrap_err());
    assert_eq!(told.fault, Fault::Truncated, "{told:?}");
}

#[tokio::test]
async fn an_answer_in_the_clear_says_where_it_ends() {
    let stub = Stub::start(Reply::Raw(b"HTTP/1.1 200 OK\r\n\r\ncanary".to_vec()));
    let told = failure(&plain(), &stub.endpoint()).await;
    assert_eq!((told.fault, told.kind), (Fault::Unbounded, SourceErrorKind::InvalidData));
    // No body has a length without saying so.
    let stub = Stub::start(Reply::Raw(b"HTTP/1.1 204 None\r\n\r\n".to_vec()));
    assert!(body(&plain(), &stub.endpoint()).await.is_empty());
}

#[tokio::test]
async fn what_is_no_answer_is_said_to_be_none() {
    for (raw, fault) in [
        (&b""[..], Fault::BrokenOff),
        (b"HTTP/1.1 200 OK\r\ncontent-", Fault::BrokenOff),
        (b"canary: nonsense\r\n\r\n", Fault::NotHttp),
        (b"HTTP/1.1 200 OK\r\ncanary\r\n\r\n", Fault::NotHttp),
    ] {
        let stub = Stub::start(Reply::Raw(raw.to_vec()));
        let told = failure(&plain(), &stub.endpoint()).await;
        assert_eq!(told.fault, fault, "{told:?}");
    }
}
