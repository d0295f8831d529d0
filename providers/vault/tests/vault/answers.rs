//! What can be wrong with a server, each with a message of its own.

use secretdir_provider::{Retry, SourceErrorKind};
use serde_json::json;

use crate::issuing::{ok, status};
use crate::support::*;

use SourceErrorKind::{InvalidData, Other, Throttled, Unauthenticated, Unavailable};

#[tokio::test]
async fn each_status_means_something_else() {
    let root = Root::new();
    let forwarder = forwarder();
    let source = source(&root.settings(&forwarder.endpoint()));
    let errors = r#"{"errors":["canary"]}"#;
    for (code, body, kind, parts) in [
        (412, errors, Unavailable, ["has not caught up", "412"]),
        (429, errors, Throttled, ["limits the rate", "sys/quotas"]),
        (472, errors, Unavailable, ["a standby", "active server"]),
        (473, errors, Unavailable, ["a standby", "active server"]),
        (500, errors, Unavailable, ["has failed", "500"]),
        (501, errors, Unavailable, ["not initialised", "operator init"]),
        (502, errors, Unavailable, ["a service that the server needs", "502"]),
        (503, r#"{"errors":["Vault is sealed"]}"#, Unavailable, ["is sealed", "operator unseal"]),
        (503, errors, Unavailable, ["maintenance", "503"]),
        (418, errors, Other, ["has refused", "418"]),
    ] {
        forwarder.answer("GET /v1/", 1, status(code, body));
        let answer = fetch(&*source, "secret/any").await;
        // What an operator has to put right is not asked again.
        let is_retried = matches!(code, 412 | 429 | 500 | 502) || parts[0] == "maintenance";
        assert_eq!(answer.as_ref().unwrap_err().retry() != Retry::No, is_retried, "{code} {body}");
        assert_told(answer, kind, &parts);
    }
}

#[tokio::test]
async fn what_a_server_says_at_a_login_is_told_in_the_same_way() {
    let policy = r#"path "secret/data/login/*" { capabilities = ["read"] }"#;
    let role = Role::make("answers-login", policy, &json!({}));
    let forwarder = forwarder();
    let settings = role.settings(&forwarder.endpoint());
    for (code, body, kind, part) in [
        (400, r#"{"errors":["canary"]}"#, Unauthenticated, "does not accept the role ID or the secret ID"),
        (400, r#"{"errors":["unsupported path"]}"#, Unauthenticated, "no such method is mounted"),
        (403, r#"{"errors":["permission denied"]}"#, Unauthenticated, "allows no login at `auth/approle/`"),
        (404, r#"{"errors":[]}"#, Unauthenticated, "no such method is mounted"),
        (404, r#"{"errors":["namespace not found"]}"#, Unavailable, "no such namespace"),
        (429, r#"{"errors":["canary"]}"#, Throttled, "limits the rate"),
        (473, r#"{"errors":["canary"]}"#, Unavailable, "a standby"),
        (503, r#"{"errors":["Vault is sealed"]}"#, Unavailable, "is sealed"),
        (200, r#"{"data":{"canary":1}}"#, InvalidData, "not of its API"),
    ] {
        forwarder.forget();
        forwarder.answer("approle/login", 1, status(code, body));
        assert_told(fetch(&*source(&settings), "secret/login/any").await, kind, &[part]);
        assert_eq!(forwarder.seen().len(), 1, "{code} {body}");
    }
}

#[tokio::test]
async fn a_pause_that_the_server_asks_for_is_passed_on() {
    let root = Root::new();
    let forwarder = forwarder();
    let source = source(&root.settings(&forwarder.endpoint()));
    // None is so long that no clock can show its end.
    for (header, seconds) in [("7", 7), ("18446744073709551615", LONGEST)] {
        let answer = format!(
            "HTTP/1.1 429 Odd\r\nretry-after: {header}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
        );
        forwarder.answer("GET /v1/", 1, answer);
        let error = fetch(&*source, "secret/any").await.unwrap_err();
        assert_eq!(error.retry(), Retry::After(std::time::Duration::from_secs(seconds)));
    }
}

#[tokio::test]
async fn half_an_answer_a_large_one_and_one_of_another_server_are_errors() {
    let root = Root::new();
    let forwarder = forwarder();
    let source = source(&root.settings(&forwarder.endpoint()));
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"data\":{\"canary\":";
    forwarder.answer("GET /v1/", 1, &half[..]);
    assert_told(fetch(&*source, "secret/any").await, Unavailable, &["127.0.0.1"]);
    let large = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n{\"canary\":";
    forwarder.answer("GET /v1/", 1, &large[..]);
    assert_told(fetch(&*source, "secret/any").await, InvalidData, &["larger than 8388608 bytes"]);
    for body in ["<html>canary</html>", "", "[]", "{}", r#"{"data":null}"#, r#"{"data":"canary"}"#] {
        forwarder.answer("GET /v1/", 1, ok(body));
        assert_told(fetch(&*source, "secret/any").await, InvalidData, &["not of its API", "`address`"]);
    }
}

#[tokio::test]
async fn a_token_does_not_follow_to_another_host() {
    let root = Root::new();
    let forwarder = forwarder();
    let other = secretdir_testkit::Stub::start(secretdir_testkit::Reply::json(200, "{}"));
    let source = source(&root.settings(&forwarder.endpoint()));
    let redirect = |to: &str| {
        format!("HTTP/1.1 307 Odd\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    };
    forwarder.answer("GET /v1/", 1, redirect(&format!("{}/v1/secret/data/any", other.endpoint())));
    assert_told(
        fetch(&*source, "secret/any").await,
        Unavailable,
        &["redirects to `127.0.0.1:", "the token is not sent to another host", "load balancer"],
    );
    assert_eq!(other.requests(), 0);
    // On the same server it is followed, once.
    bao().write("secret/data/redirected", &json!({ "data": { "v": 1 } }));
    forwarder.answer("GET /v1/secret/data/elsewhere", 1, redirect("/v1/secret/data/redirected"));
    assert_eq!(text(&fetch(&*source, "secret/elsewhere").await.unwrap()), r#"{"v":1}"#);
    forwarder.answer("GET /v1/secret/data/", 2, redirect("/v1/secret/data/again"));
    assert_told(fetch(&*source, "secret/elsewhere").await, Unavailable, &["it redirects more than once"]);
}

#[tokio::test]
async fn a_real_quota_is_told() {
    let bao = secretdir_testkit::Bao::start();
    bao.write("sys/mounts/limited", &json!({ "type": "kv" }));
    bao.write("limited/a", &json!({ "v": 1 }));
    bao.write("sys/quotas/rate-limit/tests", &json!({ "path": "limited/", "rate": 0.01 }));
    let root = Root::new();
    let source = source(&root.settings(&bao.endpoint()));
    let mut last = fetch(&*source, "limited/a").await;
    for _ in 0..5 {
        if last.is_err() {
            break;
        }
        last = fetch(&*source, "limited/a").await;
    }
    assert_told(last, Throttled, &["limits the rate"]);
    // A server that is sealed in the midst of its work.
    bao.request("PUT", "sys/seal", &json!({}));
    assert_told(fetch(&*source, "limited/a").await, Unavailable, &["is sealed"]);
}
