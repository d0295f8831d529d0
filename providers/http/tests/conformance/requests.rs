//! What is sent, what comes back, and over which transport.

use secretdir_provider::{SecretRequest, SourceErrorKind, Table, Value};
use secretdir_testkit::{Certificate, Reply, Stub, TlsFront, UnixFront};

use crate::support::{TOKEN, bearer, failure, fetch, run, settings, source, story, table, value};

#[tokio::test]
async fn a_name_and_a_version_go_where_their_places_are() {
    let stub = Stub::start(Reply::json(200, "hunter2"));
    let source = source(table(&format!("{}/items/{{secret}}?v={{version}}", stub.endpoint())));
    let request = SecretRequest::new("shop/db password").with_version("a&b");
    assert_eq!(source.fetch(&run(), &request).await.unwrap().expose_secret(), b"hunter2");
    assert_eq!(stub.seen()[0].0, "GET /items/shop/db%20password?v=a%26b HTTP/1.1");
    let error = source.check(&SecretRequest::new("a")).unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::InvalidRequest);
}

#[tokio::test]
async fn headers_and_body_are_sent() {
    let stub = Stub::start(Reply::json(200, "hunter2"));
    let folder = tempfile::tempdir().unwrap();
    let Value::Table(mut headers) = bearer(folder.path()) else { unreachable!() };
    headers.insert("Accept", "application/json");
    let mut table = table(&format!("{}/query", stub.endpoint()));
    table.insert("method", "POST");
    table.insert("body", r#"{"name": "{secret}", "n": {"a": 1}}"#);
    table.insert("headers", headers.clone());
    assert_eq!(value(table.clone(), "a\"b").await, "hunter2");
    assert_eq!(stub.seen()[0].1, r#"{"name": "a\"b", "n": {"a": 1}}"#);
    headers.insert("content-type", "application/vnd.store+json");
    table.insert("headers", headers);
    assert_eq!(value(table, "a").await, "hunter2");
    let some = |texts: [&str; 2]| texts.map(|text| Some(text.to_owned()));
    assert_eq!(stub.headers("accept"), some(["application/json"; 2]));
    assert_eq!(stub.headers("content-type"), some(["application/json", "application/vnd.store+json"]));
    assert_eq!(stub.headers("authorization"), [(); 2].map(|()| Some(format!("Bearer {TOKEN}"))));
}

/// A credential that is rotated is read by the next run, and does not divide this one.
#[tokio::test]
async fn a_credential_is_read_once_in_each_run() {
    let stub = Stub::start(Reply::json(200, "hunter2"));
    let folder = tempfile::tempdir().unwrap();
    let source = source(settings(&stub.endpoint(), [("headers", bearer(folder.path()))]));
    let (first, second) = (run(), run());
    for (run, name) in [(&first, "a"), (&first, "b"), (&second, "c")] {
        source.fetch(run, &SecretRequest::new(name)).await.unwrap();
        std::fs::write(folder.path().join("token"), "the-next-token").unwrap();
    }
    let shown = stub.headers("authorization").into_iter().map(Option::unwrap).collect::<Vec<_>>();
    let old = format!("Bearer {TOKEN}");
    assert_eq!(shown, [old.as_str(), &old, "Bearer the-next-token"]);
}

#[tokio::test]
async fn a_credential_that_cannot_be_read_is_named() {
    let stub = Stub::start(Reply::json(200, "hunter2"));
    let folder = tempfile::tempdir().unwrap();
    let table = settings(&stub.endpoint(), [("headers", bearer(folder.path()))]);
    let file = folder.path().join("token");
    for (content, why) in [("canary-1\ncanary-2", "holds a character"), ("", "it is empty")] {
        std::fs::write(&file, content).unwrap();
        let error = failure(table.clone()).await;
        assert_eq!(error.kind(), SourceErrorKind::Unauthenticated);
        let told = format!("{} {error:?}", story(&error));
        assert!(told.contains("token\"") && told.contains(why) && !told.contains("canary"), "{told}");
    }
    assert_eq!(stub.requests(), 0);
}

#[tokio::test]
async fn a_revision_comes_from_the_header_that_is_named() {
    let headers = vec![("ETag".to_owned(), "\"v7\"".to_owned())];
    let stub = Stub::start(Reply::Answer { status: 200, headers, body: b"hunter2".to_vec() });
    let named = settings(&stub.endpoint(), [("revision-header", "etag".into())]);
    assert_eq!(fetch(named, "app").await.unwrap().revision(), Some("v7"));
    assert_eq!(fetch(settings(&stub.endpoint(), []), "app").await.unwrap().revision(), None);
}

#[tokio::test]
async fn an_answer_is_bounded_whole_and_not_compressed() {
    let more = || [("max-bytes", Value::Integer(7))];
    let stub = Stub::start(Reply::json(200, "hunter2"));
    assert_eq!(value(settings(&stub.endpoint(), more()), "app").await, "hunter2");
    for (reply, kind, why) in [
        (Reply::json(200, "hunter22"), SourceErrorKind::InvalidData, "larger than 7 bytes"),
        (
            Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nhunt".to_vec()),
            SourceErrorKind::Unavailable,
            "the answer broke off",
        ),
        (
            Reply::Raw(
                b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-encoding: gzip\r\n\r\nhunt".to_vec(),
            ),
            SourceErrorKind::InvalidData,
            "compressed",
        ),
    ] {
        let stub = Stub::start(reply);
        let error = failure(settings(&stub.endpoint(), more())).await;
        assert_eq!(error.kind(), kind, "{}", story(&error));
        let told = format!("{} {error:?}", story(&error));
        assert!(told.contains(why) && !told.contains("hunt"), "{told}");
    }
}

#[tokio::test]
async fn a_server_is_trusted_by_the_authority_that_is_named_and_sees_the_clients_certificate() {
    let (stub, own) = (Stub::start(Reply::json(200, "hunter2")), Certificate::make());
    let front = TlsFront::for_client(&stub.endpoint(), &own);
    let text = |path: std::path::PathBuf| Value::from(path.to_str().unwrap());
    let ca = || ("ca-certificate", text(front.certificate().path()));
    let identity = [("client-certificate", text(own.path())), ("client-key", text(own.key())), ca()];
    assert_eq!(value(settings(front.endpoint(), identity), "app").await, "hunter2");
    for (table, kind, why) in [
        (settings(front.endpoint(), [ca()]), SourceErrorKind::Unauthenticated, "`client-certificate`"),
        (settings(front.endpoint(), []), SourceErrorKind::Unavailable, "`ca-certificate`"),
    ] {
        let error = failure(table).await;
        assert_eq!(error.kind(), kind, "{}", story(&error));
        assert!(story(&error).contains(why), "{}", story(&error));
    }
}

#[tokio::test]
async fn a_unix_socket_takes_the_place_of_the_host() {
    let stub = Stub::start(Reply::json(200, "hunter2"));
    let front = UnixFront::before(&stub.endpoint());
    let socket = Value::from(front.path().to_str().unwrap());
    let table: Table = settings("http://store.test", [("unix-socket", socket)]);
    assert_eq!(value(table, "app").await, "hunter2");
    assert_eq!(stub.headers("host"), [Some("store.test".to_owned())]);
}

#[tokio::test]
async fn nothing_can_be_listed() {
    let stub = Stub::start(Reply::json(200, "hunter2"));
    let error = source(settings(&stub.endpoint(), [])).list(&run(), "a").await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Unsupported);
    assert!(story(&error).contains("[files]"), "{}", story(&error));
}
