//! Leases and the tokens that took them: a lease ends with its token.

use std::time::{Duration, SystemTime};

use secretdir_provider::{Clock, Held, Refreshed, RunContext, SecretRequest, SecretSource};
use secretdir_testkit::{Forwarder, ROOT_TOKEN};
use serde_json::json;

use crate::issuing::{ok, status};
use crate::support::*;

/// The policy `default` allows the rest, and other answers are made up.
const NOTHING: &str = r#"path "tokens/none" { capabilities = ["deny"] }"#;

fn request() -> SecretRequest {
    SecretRequest::new("database/creds/app")
}

/// Gets a user, whose lease the server calls longer than the token lives.
async fn user(source: &dyn SecretSource, forwarder: &Forwarder) -> Held {
    let made = r#"{"lease_id":"database/creds/app/x","lease_duration":90,"data":{"username":"u","password":"canary"}}"#;
    forwarder.answer("GET /v1/database/creds/app", 1, ok(made));
    let secret = source.fetch(&run().0, &request()).await.unwrap();
    let now = SystemTime::now();
    let held = Held::of(&secret.arrived_at(now), now);
    let left = held.valid_until().unwrap().duration_since(SystemTime::now()).unwrap();
    assert!(left <= Duration::from_secs(5), "{left:?}");
    held
}

/// Renews the lease, which must be kept under its name, for as long as its token lives.
async fn kept(source: &dyn SecretSource, forwarder: &Forwarder, held: &Held) {
    forwarder.answer("sys/leases/renew", 1, ok(r#"{"lease_id":"database/creds/app/x","lease_duration":90}"#));
    let Refreshed::Keep(kept) = source.refresh(&run().0, &request(), held).await.unwrap() else {
        panic!("replaced: {:?}", forwarder.seen())
    };
    assert_eq!(kept.lease(), held.lease());
    let gained = kept.valid_until().unwrap().duration_since(held.valid_until().unwrap()).unwrap();
    assert!((900..=5000).contains(&gained.as_millis()), "{gained:?}");
}

fn count(forwarder: &Forwarder, text: &str) -> usize {
    forwarder.seen().iter().filter(|line| line.contains(text)).count()
}

#[tokio::test]
async fn a_token_that_is_shorter_than_its_lease_is_renewed_with_it() {
    let role = Role::make("tokens-short", NOTHING, &json!({ "token_ttl": "5s", "token_max_ttl": "1h" }));
    let forwarder = forwarder_with_database();
    let source = source(&role.settings(&forwarder.endpoint()));
    let held = user(&*source, &forwarder).await;
    // A token that was just got is not renewed: that would gain nothing.
    assert_eq!(count(&forwarder, "renew-self"), 0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    kept(&*source, &forwarder, &held).await;
    assert_eq!((count(&forwarder, "renew-self"), count(&forwarder, "approle/login")), (1, 1));
}

#[tokio::test]
async fn a_token_in_its_last_moments_is_renewed_and_not_replaced() {
    let role = Role::make("tokens-last", NOTHING, &json!({ "token_ttl": "4s", "token_max_ttl": "1h" }));
    let forwarder = forwarder_with_database();
    let source = source(&role.settings(&forwarder.endpoint()));
    let held = user(&*source, &forwarder).await;
    // Less than the margin is left.
    tokio::time::sleep(Duration::from_millis(2700)).await;
    kept(&*source, &forwarder, &held).await;
    assert_eq!(count(&forwarder, "approle/login"), 1, "{:?}", forwarder.seen());
}

#[tokio::test]
async fn the_token_of_an_agent_that_renews_it_keeps_the_lease() {
    let made = bao().write("auth/token/create", &json!({ "ttl": "5s", "explicit_max_ttl": "1h" }));
    let token = made["auth"]["client_token"].as_str().unwrap();
    let file = Credential::new(token);
    let forwarder = forwarder_with_database();
    let source = source(&format!(
        "address = \"{}\"\nauth = {{ method = \"token\", token = {} }}\n",
        forwarder.endpoint(),
        file.setting()
    ));
    let held = user(&*source, &forwarder).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    // What an agent does.
    assert_eq!(bao().request_as(token, "POST", "auth/token/renew-self", &json!({})).status, 200);
    kept(&*source, &forwarder, &held).await;
    assert_eq!(count(&forwarder, "renew-self"), 0);
}

#[tokio::test]
async fn a_token_whose_leases_are_all_given_back_is_revoked() {
    let role = Role::make("tokens-back", NOTHING, &json!({ "token_ttl": "5s" }));
    let forwarder = forwarder_with_database();
    let source = source(&role.settings(&forwarder.endpoint()));
    let held = user(&*source, &forwarder).await;
    forwarder.answer("sys/leases/revoke", 1, status(204, ""));
    source.release(&run().0, &[held.lease().unwrap().to_owned()]).await.unwrap();
    source.close(&run().0).await;
    assert_eq!(count(&forwarder, "revoke-self"), 1, "{:?}", forwarder.seen());
    assert_eq!(bao().request_as(ROOT_TOKEN, "GET", "auth/token/lookup-self", &json!(null)).status, 200);
}

/// Makes a run at a moment to come.
fn run_in(seconds: u64) -> RunContext {
    let date = move || SystemTime::now() + Duration::from_secs(seconds);
    RunContext::builder().clock(Clock::default().with_date(date)).timeout(Duration::from_secs(20)).build()
}

#[tokio::test]
async fn what_is_made_near_the_end_of_a_token_is_made_with_a_new_one() {
    let role = Role::make("tokens-near", NOTHING, &json!({ "token_ttl": "60s" }));
    let forwarder = forwarder_with_database();
    let source = source(&role.settings(&forwarder.endpoint()));
    let made = |id: &str| {
        let answer = format!(r#"{{"lease_id":"{id}","lease_duration":90,"data":{{"username":"u"}}}}"#);
        forwarder.answer("GET /v1/database/creds/app", 1, ok(&answer));
    };
    // No renewal helps.
    let refused = || status(400, r#"{"errors":["canary"]}"#);
    forwarder.answer("renew-self", 1000, refused());
    made("first");
    source.fetch(&run().0, &request()).await.unwrap();
    // More than half of its life is left.
    made("second");
    source.fetch(&run_in(20), &request()).await.unwrap();
    assert_eq!(count(&forwarder, "approle/login"), 1);
    // Without a login, the old token has to do.
    forwarder.answer("approle/login", 1, refused());
    made("third");
    source.fetch(&run_in(40), &request()).await.unwrap();
    made("fourth");
    let late = run_in(40);
    let fourth = source.fetch(&late, &request()).await.unwrap().arrived_at(late.clock().date());
    let left = fourth.valid_until().unwrap().duration_since(late.clock().date()).unwrap().as_secs();
    assert!((55..=60).contains(&left), "{left}");
    assert_eq!(count(&forwarder, "approle/login"), 3, "{:?}", forwarder.seen());
    // The first token has leases.
    assert_eq!(count(&forwarder, "revoke-self"), 0);
}

#[tokio::test]
async fn a_lease_that_is_hardly_cut_is_no_reason_for_a_warning() {
    let role = Role::make("tokens-hardly", NOTHING, &json!({ "token_ttl": "100s" }));
    let forwarder = forwarder_with_database();
    let source = source(&role.settings(&forwarder.endpoint()));
    for (seconds, is_told) in [(100, false), (103, false), (120, true)] {
        let (run, warnings) = run();
        let made =
            format!(r#"{{"lease_id":"x/{seconds}","lease_duration":{seconds},"data":{{"a":"canary"}}}}"#);
        forwarder.answer("GET /v1/database/creds/app", 1, ok(&made));
        source.fetch(&run, &request()).await.unwrap();
        assert_eq!(!warnings.to_vec().is_empty(), is_told, "{seconds}: {:?}", warnings.to_vec());
    }
}
