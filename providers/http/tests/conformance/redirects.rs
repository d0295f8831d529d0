//! Answers that lead elsewhere.

use secretdir_provider::{SourceErrorKind, Table, Value};
use secretdir_testkit::{Reply, Stub, TlsFront};

use crate::support::{TOKEN, bearer, failure, settings, story, value};

fn redirect(status: u16, to: &str) -> Reply {
    let headers = vec![("Location".to_owned(), to.to_owned())];
    Reply::Answer { status, headers, body: Vec::new() }
}

fn following(stub: &Stub, most: i64) -> Table {
    settings(&stub.endpoint(), [("redirects", Value::Integer(most))])
}

#[tokio::test]
async fn without_the_setting_none_is_followed() {
    let stub = Stub::in_turn(vec![redirect(302, "/login?token=canary"), Reply::json(200, "a page")]);
    let error = failure(settings(&stub.endpoint(), [])).await;
    assert_eq!(error.kind(), SourceErrorKind::Unavailable);
    let endpoint = stub.endpoint();
    assert!(story(&error).contains(&format!("{endpoint} redirects to {endpoint} (")), "{}", story(&error));
    assert!(story(&error).contains("sign-in") && !story(&error).contains("canary"), "{}", story(&error));
    assert_eq!(stub.requests(), 1);
}

#[tokio::test]
async fn those_within_the_server_are_followed_up_to_a_number() {
    for status in [301, 302, 303, 307, 308] {
        let stub = Stub::in_turn(vec![
            redirect(status, "../v2/app"),
            redirect(status, "/v3/app#part"),
            Reply::json(200, "hunter2"),
        ]);
        assert_eq!(value(following(&stub, 2), "app").await, "hunter2", "{status}");
        let lines: Vec<_> = stub.seen().into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, ["GET /v1/app HTTP/1.1", "GET /v2/app HTTP/1.1", "GET /v3/app HTTP/1.1"]);
    }
    let stub = Stub::start(redirect(302, "/again"));
    let told = story(&failure(following(&stub, 3)).await);
    assert!(told.contains(" again, after 3 ("), "{told}");
    assert_eq!(stub.requests(), 4);
}

#[tokio::test]
async fn no_credential_reaches_another_server() {
    let folder = tempfile::tempdir().unwrap();
    let other = Stub::start(Reply::json(200, "stolen"));
    let port = other.endpoint().rsplit(':').next().unwrap().to_owned();
    for place in [
        format!("{}/v1/app?token=canary", other.endpoint()),
        format!("//127.0.0.1:{port}/v1/app"),
        format!("http://localhost:{port}/v1/app"),
    ] {
        let stub = Stub::start(redirect(307, &place));
        let mut table = following(&stub, 5);
        table.insert("headers", bearer(folder.path()));
        let error = failure(table).await;
        assert_eq!(error.kind(), SourceErrorKind::Unavailable);
        let told = story(&error);
        assert!(told.contains("redirects to http://") && told.contains(&format!(":{port} (")), "{told}");
        assert!(told.contains("never sent to another server") && !told.contains("canary"), "{told}");
        assert_eq!(stub.headers("authorization"), [Some(format!("Bearer {TOKEN}"))]);
    }
    assert_eq!(other.requests(), 0);
}

#[tokio::test]
async fn none_leads_out_of_tls_or_to_a_user() {
    let stub = Stub::answering(|message| {
        let host = message.header("host").unwrap_or_default();
        let to = if message.first_line.contains("user") {
            format!("https://me@{host}/")
        } else {
            format!("http://{host}/")
        };
        redirect(308, &to)
    });
    let front = TlsFront::before(&stub.endpoint());
    let certificate = front.certificate().path();
    for (name, why) in
        [("plain", "redirects to http://127.0.0.1"), ("user", "redirects to https://127.0.0.1")]
    {
        let ca = Value::from(certificate.to_str().unwrap());
        let more = [("redirects", Value::Integer(5)), ("ca-certificate", ca)];
        let error = crate::support::fetch(settings(front.endpoint(), more), name).await.unwrap_err();
        assert!(story(&error).contains(why), "{}", story(&error));
    }
    assert_eq!(stub.requests(), 2);
}

#[tokio::test]
async fn a_post_stays_one() {
    let posting = |stub: &Stub| {
        let mut table = following(stub, 1);
        table.insert("method", "POST");
        table.insert("body", r#"{"id": "{secret}"}"#);
        table
    };
    let stub = Stub::in_turn(vec![redirect(307, "/v2"), Reply::json(200, "hunter2")]);
    assert_eq!(value(posting(&stub), "app").await, "hunter2");
    let asked = stub.seen().pop().unwrap();
    assert_eq!(asked, ("POST /v2 HTTP/1.1".to_owned(), r#"{"id": "app"}"#.to_owned()));
    let stub = Stub::start(redirect(303, "/v2"));
    let told = story(&failure(posting(&stub)).await);
    assert!(told.contains("answered 303, a redirect to GET") && told.contains("307 and 308"), "{told}");
    let stub = Stub::start(Reply::json(302, ""));
    let told = story(&failure(following(&stub, 1)).await);
    assert!(told.contains("answered 302 without a `Location`"), "{told}");
}
