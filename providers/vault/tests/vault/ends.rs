//! When something ends that was made: what nobody knows the end of is not kept.

use std::time::SystemTime;

use secretdir_provider::{Held, Refreshed, Secret, SecretRequest, SourceError, SourceErrorKind};

use serde_json::json;

use crate::issuing::ok;
use crate::support::*;

/// Asks for what a description makes, which the server answers so.
async fn made(answer: &str, life: &str) -> Result<Secret, SourceError> {
    let (root, forwarder) = (Root::new(), forwarder());
    forwarder.answer("GET /v1/odd/make/x", 1, ok(answer));
    let settings =
        format!("{}[issue.x]\npath = \"odd/make/x\"\n{life}", root.settings(&forwarder.endpoint()));
    let secret = fetch(&*source(&settings), "x").await;
    secret.map(|secret| secret.arrived_at(SystemTime::now()))
}

/// Returns for how many seconds a secret is good, and in how many it is to be renewed.
fn left(secret: &Secret) -> (u64, u64) {
    let until = |moment: Option<SystemTime>| moment.unwrap().duration_since(SystemTime::now()).unwrap();
    (until(secret.valid_until()).as_secs(), until(secret.renew_at()).as_secs())
}

fn in_an_hour() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() + 3600
}

#[tokio::test]
async fn what_has_neither_a_lease_nor_an_end_needs_a_life() {
    let endless = r#"{"lease_id":"","lease_duration":0,"data":{"serial_number":"7","signed_key":"canary"}}"#;
    assert_told(
        made(endless, "").await,
        SourceErrorKind::InvalidData,
        &["has neither a lease nor an end", "`life = \"1h\"` in [sources.NAME.issue.x]"],
    );
    let secret = made(endless, "life = \"1h\"\n").await.unwrap();
    let (good, renewal) = left(&secret);
    assert!((3590..=3600).contains(&good) && (2100..=2380).contains(&renewal), "{good} {renewal}");
    assert_eq!((secret.revision(), secret.lease()), (Some("7"), None));
    // What the server says comes first.
    let answer = format!(r#"{{"data":{{"expiration":{}}}}}"#, in_an_hour());
    let good = left(&made(&answer, "life = \"1m\"\n").await.unwrap()).0;
    assert!((3590..=3600).contains(&good), "{good}");
}

#[tokio::test]
async fn a_real_certificate_of_ssh_is_good_for_its_life() {
    let (bao, root) = (bao(), Root::new());
    bao.write("sys/mounts/ssh-life", &json!({ "type": "ssh" }));
    bao.write("ssh-life/config/ca", &json!({ "generate_signing_key": true }));
    let role = json!({
        "key_type": "ca", "allow_user_certificates": true, "allowed_users": "*", "default_user": "app", "ttl": "2h"
    });
    bao.write("ssh-life/roles/app", &role);
    let settings = format!(
        "{}[issue.ssh]\npath = \"ssh-life/issue/app\"\nparameters = {{ key_type = \"ed25519\" }}\n",
        root.settings(&bao.endpoint())
    );
    let error = fetch(&*source(&settings), "ssh").await;
    assert_told(error, SourceErrorKind::InvalidData, &["neither a lease nor an end"]);
    let secret = fetch(&*source(&format!("{settings}life = \"2h\"\n")), "ssh").await.unwrap();
    assert!(text(&secret).contains("OPENSSH PRIVATE KEY"));
    let (good, _) = left(&secret.arrived_at(SystemTime::now()));
    assert!((7190..=7200).contains(&good), "{good}");
}

#[tokio::test]
async fn what_is_made_by_its_path_alone_needs_a_description() {
    let (root, forwarder) = (Root::new(), forwarder_with_database());
    forwarder.answer("GET /v1/database/creds/app", 1, ok(r#"{"data":{"username":"canary"}}"#));
    assert_told(
        fetch(&*source(&root.settings(&forwarder.endpoint())), "database/creds/app").await,
        SourceErrorKind::InvalidData,
        &["neither a lease nor an end", "`path = \"database/creds/app\"` and `life = \"1h\"`"],
    );
}

#[tokio::test]
async fn an_end_is_found_beside_keys_of_any_type() {
    let end = in_an_hour();
    for data in [
        format!(r#"{{"expiration":{end},"ttl":"72h","serial_number":12}}"#),
        format!(r#"{{"expiration":"{end}","ttl":null,"last_vault_rotation":[1]}}"#),
        format!(r#"{{"ttl":{{"a":-1}},"expiration":{end},"serial_number":{{}}}}"#),
        r#"{"expiration":"never","ttl":"3600","last_vault_rotation":"2026-11-30T07:00:01Z"}"#.to_owned(),
    ] {
        let secret = made(&format!(r#"{{"data":{data}}}"#), "").await.unwrap();
        let good = left(&secret).0;
        assert!((3590..=3600).contains(&good), "{good}: {data}");
    }
    for data in [r#"{"expiration":-5}"#, r#"{"expiration":"72h"}"#, r#"{"ttl":3600}"#, r#"["canary"]"#] {
        let answer = made(&format!(r#"{{"data":{data}}}"#), "").await;
        assert_told(answer, SourceErrorKind::InvalidData, &["neither a lease nor an end"]);
    }
}

#[test]
fn a_life_is_a_duration() {
    let issue = |life: &str| format!("[issue.x]\npath = \"ssh/issue/x\"\nlife = \"{life}\"\n");
    for (life, why) in [
        ("0s", "above zero"),
        ("1 fortnight", "expected a duration"),
        ("", "expected a duration"),
        ("3600", "expected a duration"),
        ("101y", "at most 100 years"),
    ] {
        let problems = problems(&issue(life));
        assert!(problems.len() == 1 && problems[0].0 == "issue.x.life", "{life}: {problems:?}");
        assert!(problems[0].1.contains(why), "{life}: {problems:?}");
    }
    for life in ["1h 30m", "100y"] {
        assert!(source(&issue(life)).issues(&SecretRequest::new("x")));
    }
}

/// Says of a number of seconds that it is a hundred years, as far as the tests have come.
fn is_longest(seconds: u64) -> bool {
    (LONGEST - 20..=LONGEST).contains(&seconds)
}

#[tokio::test]
async fn no_end_is_beyond_all_dates() {
    let most = u64::MAX;
    let lease = format!(r#"{{"lease_id":"odd/make/y","lease_duration":{most},"data":{{"a":"canary"}}}}"#);
    let end = format!(r#"{{"data":{{"expiration":{most}}}}}"#);
    let rotation = format!(r#"{{"data":{{"ttl":{most},"last_vault_rotation":"x"}}}}"#);
    for answer in [&lease, &end, &rotation] {
        let good = left(&made(answer, "").await.unwrap()).0;
        assert!(is_longest(good), "{good}: {answer}");
    }
    assert_eq!(made(&lease, "").await.unwrap().lease(), Some(&*format!("0:{LONGEST}:odd/make/y")));
    // A renewal, of one that was noted before there was a longest life, too.
    let (root, forwarder) = (Root::new(), forwarder_with_database());
    let now = SystemTime::now();
    let source = source(&root.settings(&forwarder.endpoint()));
    let request = SecretRequest::new("database/creds/app");
    forwarder.answer("leases/renew", 2, ok(&format!(r#"{{"lease_id":"x","lease_duration":{most}}}"#)));
    for noted in [60, most] {
        let held =
            Held::since(now).with_valid_until(now).with_lease(format!("0:{noted}:database/creds/app/x"));
        let Refreshed::Keep(kept) = source.refresh(&run().0, &request, &held).await.unwrap() else {
            panic!("replaced")
        };
        assert!(is_longest(kept.valid_until().unwrap().duration_since(now).unwrap().as_secs()));
    }
}

#[tokio::test]
async fn no_token_lives_beyond_all_dates() {
    let role = Role::make("ends-token", r#"path "secret/data/x" { capabilities = ["read"] }"#, &json!({}));
    let forwarder = forwarder_with_database();
    let auth = format!(
        r#"{{"auth":{{"client_token":"s.canary","lease_duration":{},"renewable":true,"token_type":"service"}}}}"#,
        u64::MAX
    );
    forwarder.answer("approle/login", 1, ok(&auth));
    let lease = r#"{"lease_id":"database/creds/app/y","lease_duration":60,"data":{"a":"canary"}}"#;
    forwarder.answer("GET /v1/database/creds/app", 1, ok(lease));
    let secret = fetch(&*source(&role.settings(&forwarder.endpoint())), "database/creds/app").await.unwrap();
    let noted: u64 = secret.lease().unwrap().split(':').next().unwrap().parse().unwrap();
    assert!(is_longest(noted - SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()), "{noted}");
}

#[tokio::test]
async fn a_lease_that_cannot_be_noted_and_one_without_a_value_are_given_back() {
    let (root, forwarder) = (Root::new(), forwarder_with_database());
    let source = source(&root.settings(&forwarder.endpoint()));
    let long = "x".repeat(1025);
    let data = r#"{"a":"canary"}"#;
    let odd = "too long, or has control characters";
    for (id, data, why) in [
        (&*long, data, odd),
        (r"a\nb", data, odd),
        ("database/creds/app/x", "null", "not of its API"),
        (&*long, "null", "not of its API"),
    ] {
        forwarder.forget();
        let answer = format!(r#"{{"lease_id":"{id}","lease_duration":60,"data":{data}}}"#);
        forwarder.answer("GET /v1/database/creds/app", 1, ok(&answer));
        let refused = fetch(&*source, "database/creds/app").await;
        assert_told(refused, SourceErrorKind::InvalidData, &[why]);
        let seen = forwarder.seen();
        assert!(seen.last().unwrap().contains("sys/leases/revoke"), "{seen:?}");
    }
}
