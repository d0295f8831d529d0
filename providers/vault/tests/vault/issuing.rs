//! Certificates and leases: made once, renewed, replaced, given back.

use std::time::{Duration, SystemTime};

use secretdir_provider::{Held, Refreshed, SecretRequest, SourceErrorKind};
use serde_json::{Value, json};

use crate::support::*;

/// An engine for certificates at a path of its own.
fn pki(mount: &str, role: &Value) {
    let bao = bao();
    bao.write(&format!("sys/mounts/{mount}"), &json!({ "type": "pki" }));
    bao.write(
        &format!("{mount}/root/generate/internal"),
        &json!({ "common_name": "root of the tests", "ttl": "24h" }),
    );
    bao.write(&format!("{mount}/roles/web"), role);
}

fn issue(endpoint: &str, root: &Root, mount: &str) -> String {
    format!(
        "{}[issue.web]\npath = \"{mount}/issue/web\"\nparameters = {{ common_name = \"web.internal\", ttl = \"600s\" }}\n",
        root.settings(endpoint)
    )
}

fn web() -> SecretRequest {
    SecretRequest::new("web")
}

#[tokio::test]
async fn a_certificate_comes_with_its_key_its_end_and_its_serial_number() {
    pki("pki-one", &json!({ "allowed_domains": ["internal"], "allow_subdomains": true }));
    let root = Root::new();
    let source = source(&issue(&bao().endpoint(), &root, "pki-one"));
    assert!(source.issues(&web()));
    source.check(&web()).unwrap();
    source.check(&web().with_version("1")).unwrap_err();
    let secret = fetch(&*source, "web").await.unwrap();
    let value: Value = serde_json::from_slice(secret.expose_secret()).unwrap();
    assert!(value["certificate"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(value["private_key"].as_str().unwrap().contains("PRIVATE KEY"));
    assert_eq!(secret.revision(), value["serial_number"].as_str());
    let now = SystemTime::now();
    let left = secret.valid_until().unwrap().duration_since(now).unwrap().as_secs();
    assert!((590..=600).contains(&left), "{left}");
    let renewal = secret.renew_at().unwrap().duration_since(now).unwrap().as_secs();
    assert!((340..=400).contains(&renewal), "{renewal}");
    assert_eq!(secret.lease(), None);
}

#[tokio::test]
async fn what_the_role_does_not_allow_is_told_without_the_words_of_the_server() {
    pki("pki-denied", &json!({ "allowed_domains": ["elsewhere"] }));
    let root = Root::new();
    let source = source(&issue(&bao().endpoint(), &root, "pki-denied"));
    assert_told(
        fetch(&*source, "web").await,
        SourceErrorKind::InvalidRequest,
        &["the role does not allow one of the requested names", "allowed_domains"],
    );
    let no_role = issue(&bao().endpoint(), &root, "pki-denied").replace("issue/web\"", "issue/none\"");
    let error = fetch(&*crate::support::source(&no_role), "web").await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::InvalidRequest, "{error:?}");
    // Without parameters the request is a GET, which this path does not have.
    let get = format!("{}[issue.web]\npath = \"pki-denied/issue/web\"\n", root.settings(&bao().endpoint()));
    assert_told(
        fetch(&*crate::support::source(&get), "web").await,
        SourceErrorKind::InvalidRequest,
        &["(status 405)", "`parameters`"],
    );
}

#[tokio::test]
async fn a_certificate_that_is_due_is_replaced() {
    pki("pki-due", &json!({ "allowed_domains": ["internal"], "allow_subdomains": true }));
    let root = Root::new();
    let source = source(&issue(&bao().endpoint(), &root, "pki-due"));
    let first = fetch(&*source, "web").await.unwrap();
    let held = Held::of(&first, SystemTime::now());
    let Refreshed::New(second) = source.refresh(&run().0, &web(), &held).await.unwrap() else {
        panic!("it was kept")
    };
    assert_ne!(first.revision(), second.revision());
}

#[tokio::test]
async fn a_lease_is_noted_bounded_by_its_token_and_given_back_twice() {
    pki(
        "pki-lease",
        &json!({ "allowed_domains": ["internal"], "allow_subdomains": true, "generate_lease": true }),
    );
    let policy = r#"path "pki-lease/issue/web" { capabilities = ["update"] } path "sys/leases/revoke" { capabilities = ["update"] }"#;
    let role = Role::make("lease-bound", policy, &json!({ "token_ttl": "60s" }));
    let endpoint = bao().endpoint();
    let settings = format!(
        "{}[issue.web]\npath = \"pki-lease/issue/web\"\nparameters = {{ common_name = \"web.internal\", ttl = \"600s\" }}\n",
        role.settings(&endpoint)
    );
    let source = source(&settings);
    let (run, warnings) = run();
    let secret = source.fetch(&run, &web()).await.unwrap();
    let lease = secret.lease().unwrap().to_owned();
    assert!(lease.contains(":pki-lease/issue/web/"), "{lease}");
    // It is for ten minutes, but its token for one.
    let secret = secret.arrived_at(SystemTime::now());
    let left = secret.valid_until().unwrap().duration_since(SystemTime::now()).unwrap().as_secs();
    assert!((50..=60).contains(&left), "{left}");
    let warnings = warnings.to_vec();
    assert!(warnings[0].contains("it ends with the token that took it"), "{warnings:?}");
    // A token with a lease is not revoked: the certificate would be, too.
    source.close(&run).await;
    assert!(is_there(&lease));
    source.release(&run, std::slice::from_ref(&lease)).await.unwrap();
    assert!(!is_there(&lease));
    source.release(&run, &[lease]).await.unwrap();
}

/// Asks the server about a lease.
fn is_there(handle: &str) -> bool {
    let id = handle.splitn(3, ':').nth(2).unwrap();
    let answer = bao().request_as(
        secretdir_testkit::ROOT_TOKEN,
        "POST",
        "sys/leases/lookup",
        &json!({ "lease_id": id }),
    );
    answer.status == 200
}

#[tokio::test]
async fn a_path_that_makes_something_unasked_is_refused_and_what_it_made_given_back() {
    let root = Root::new();
    let forwarder = forwarder();
    let body = r#"{"lease_id":"odd/read/canary","lease_duration":60,"renewable":true,"data":{"a":"canary"}}"#;
    let mount = r#"{"data":{"path":"odd/","type":"odd","options":null}}"#;
    forwarder.answer("GET /v1/odd/read/x", 1, ok(body));
    forwarder.answer("GET /v1/sys/internal/ui/mounts/odd/read/x", 1, ok(mount));
    let source = source(&root.settings(&forwarder.endpoint()));
    assert_told(
        fetch(&*source, "odd/read/x").await,
        SourceErrorKind::InvalidRequest,
        &["the server creates something new", "[sources.NAME.issue.web]"],
    );
    assert!(forwarder.seen().iter().any(|line| line.contains("sys/leases/revoke")), "{:?}", forwarder.seen());
}

#[tokio::test]
async fn a_lease_is_renewed_until_that_gains_nothing_and_then_replaced() {
    let root = Root::new();
    let forwarder = forwarder_with_database();
    let source = source(&root.settings(&forwarder.endpoint()));
    let request = SecretRequest::new("database/creds/app");
    assert!(source.issues(&request));
    let now = SystemTime::now();
    let held = Held::since(now - Duration::from_secs(60))
        .with_valid_until(now + Duration::from_secs(30))
        .with_lease("0:90:database/creds/app/x");
    forwarder.answer("sys/leases/renew", 1, ok(r#"{"lease_id":"database/creds/app/x","lease_duration":90}"#));
    let Refreshed::Keep(kept) = source.refresh(&run().0, &request, &held).await.unwrap() else {
        panic!("replaced")
    };
    let left = kept.valid_until().unwrap().duration_since(now).unwrap().as_secs();
    assert!((89..=95).contains(&left), "{left}");
    assert!(kept.renew_at().unwrap() > now);
    let made = r#"{"lease_id":"database/creds/app/y","lease_duration":90,"data":{"username":"u","password":"canary"}}"#;
    // Near its maximum the server gives next to nothing; a lease that is gone is told by 400.
    for refusal in
        [ok(r#"{"lease_id":"x","lease_duration":31}"#), status(400, r#"{"errors":["lease not found"]}"#)]
    {
        forwarder.answer("sys/leases/renew", 1, refusal);
        forwarder.answer("GET /v1/database/creds/app", 1, ok(made));
        let Refreshed::New(new) = source.refresh(&run().0, &request, &held).await.unwrap() else {
            panic!("kept")
        };
        assert!(new.lease().unwrap().ends_with(":90:database/creds/app/y"), "{:?}", new.lease());
    }
    // A server that is down says nothing of the lease.
    forwarder.answer("sys/leases/renew", 1, status(503, r#"{"errors":["Vault is sealed"]}"#));
    source.refresh(&run().0, &request, &held).await.unwrap_err();
}

pub(crate) fn ok(body: &str) -> Vec<u8> {
    status(200, body)
}

pub(crate) fn status(status: u16, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Odd\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}
