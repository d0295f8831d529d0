//! The policies of the README are enough, and needed: on a moto server that checks them.
//!
//! Moto looks at the actions of a policy, and knows of no resource but all of them: the ARNs are replaced here.

use std::num::NonZeroUsize;

use secretdir_provider::{RunContext, SecretRequest, SecretSource, SourceErrorKind};
use secretdir_testkit::{AccessKey, Moto, REGION};

use crate::environment::run;
use crate::parameters;
use crate::support::{LONG, ask, source};

const README: &str = include_str!("../../README.md");

/// Returns the policy after this text, for all resources.
fn policy(heading: &str) -> String {
    let (_, rest) = README.split_once(heading).unwrap();
    let (_, rest) = rest.split_once("```json\n").unwrap();
    let lines = rest.split_once("```").unwrap().0.lines();
    let lines = lines.map(|line| match line.split_once("\"arn:") {
        Some((key, arn)) => {
            assert!(arn.contains(&format!(":{REGION}:123456789012:")) || arn.contains(":iam::"), "{line}");
            format!("{key}\"*\"")
        }
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

const BATCHES: &str = "\nFor secrets by name or ARN, in batches:";
const ALONE: &str = "\nWithout batches,";
const PARAMETERS: &str = "\nFor parameters:";
const LIST_SECRETS: &str = "\nTo list secrets,";
const LIST_PARAMETERS: &str = "\nTo list parameters,";

/// Returns what comes of three secrets: their values, or the kind of the error, with the warnings.
async fn fetched(
    moto: &Moto,
    key: &AccessKey,
    version: Option<&str>,
) -> (Vec<Result<Vec<u8>, SourceErrorKind>>, Vec<String>) {
    let source = source(&moto.endpoint(), key);
    let requests = ["app/a", "app/b", "app/c"].map(|name| {
        let request = SecretRequest::new(name);
        version.map_or(request.clone(), |version| request.with_version(version))
    });
    ask(&*source, &requests).await
}

fn server() -> Moto {
    let moto = Moto::start();
    for name in ["app/a", "app/b", "app/c"] {
        moto.create_string(name, name);
    }
    moto
}

fn all() -> Vec<Result<Vec<u8>, SourceErrorKind>> {
    ["app/a", "app/b", "app/c"].map(|name| Ok(name.as_bytes().to_vec())).into()
}

#[tokio::test]
async fn batches_need_what_is_written_and_nothing_else() {
    let moto = server();
    let key = moto.add_user_with_policy("batches", &policy(BATCHES));
    assert_eq!(fetched(&moto, &key, None).await, (all(), Vec::new()));
    assert_eq!((moto.calls("BatchGetSecretValue"), moto.calls("GetSecretValue")), (1, 0));
}

#[tokio::test]
async fn without_the_permission_for_batches_each_is_asked_for_with_a_warning_unless_it_has_a_version() {
    let moto = server();
    let key = moto.add_user_with_policy("alone", &policy(ALONE));
    let (answers, warnings) = fetched(&moto, &key, None).await;
    assert_eq!((answers, warnings.len()), (all(), 1));
    assert!(warnings[0].contains("secretsmanager:BatchGetSecretValue"), "{warnings:?}");
    assert_eq!(fetched(&moto, &key, Some("AWSCURRENT")).await, (all(), Vec::new()));
}

#[tokio::test]
async fn parameters_need_what_is_written() {
    let moto = Moto::start();
    moto.put_parameter("/app/a", "value", "SecureString");
    let requests = [SecretRequest::new("/app/a")];
    let key = moto.add_user_with_policy("parameters", &policy(PARAMETERS));
    let (answers, _) = ask(&*parameters::source(&moto.endpoint(), &key), &requests).await;
    assert_eq!(answers, [Ok(b"value".to_vec())]);
    let other = moto.add_user_with_policy("other", &policy(ALONE));
    let (answers, _) = ask(&*parameters::source(&moto.endpoint(), &other), &requests).await;
    // Moto has no proper answer to a call that it denies here: what is denied is shown with the strict server.
    assert!(answers[0].is_err());
}

/// Lists what is below a prefix: the names, or the kind of the error.
async fn listed(source: &dyn SecretSource, prefix: &str) -> Result<Vec<String>, SourceErrorKind> {
    let context = RunContext::builder().timeout(LONG).concurrency(NonZeroUsize::MIN).build();
    secretdir_conformance::list(source, &context, prefix).await.map_err(|error| error.kind())
}

#[tokio::test]
async fn a_listing_of_secrets_needs_what_is_written_and_no_more() {
    let moto = server();
    let key = moto.add_user_with_policy("lister", &policy(LIST_SECRETS));
    let all = ["app/a", "app/b", "app/c"].map(str::to_owned).into();
    assert_eq!(listed(&*source(&moto.endpoint(), &key), "app/").await, Ok(all));
    let denied = vec![Err(SourceErrorKind::PermissionDenied); 3];
    assert_eq!(fetched(&moto, &key, None).await.0, denied, "to list is not to read");
    let other = moto.add_user_with_policy("other", &policy(BATCHES));
    let other = listed(&*source(&moto.endpoint(), &other), "app/").await;
    assert_eq!(other, Err(SourceErrorKind::PermissionDenied));
}

#[tokio::test]
async fn a_listing_of_parameters_needs_what_is_written() {
    let moto = Moto::start();
    moto.put_parameter("/app/a", "value", "SecureString");
    let key = moto.add_user_with_policy("lister", &policy(LIST_PARAMETERS));
    let source = |key| parameters::source(&moto.endpoint(), key);
    assert_eq!(listed(&*source(&key), "/app/").await, Ok(vec!["/app/a".to_owned()]));
    let other = moto.add_user_with_policy("other", &policy(PARAMETERS));
    // As above, moto has no proper answer.
    assert!(listed(&*source(&other), "/app/").await.is_err());
}

#[tokio::test]
async fn whoever_has_only_another_policy_is_denied() {
    let moto = server();
    let key = moto.add_user_with_policy("other", &policy(PARAMETERS));
    let denied = vec![Err(SourceErrorKind::PermissionDenied); 3];
    assert_eq!(fetched(&moto, &key, None).await.0, denied);
}

#[test]
fn a_role_needs_what_is_written() {
    let moto = server();
    let role = moto.add_role("reader", &["secretsmanager:GetSecretValue"]);
    let caller = moto.add_user_with_policy("caller", &policy("\nFor a role,"));
    assert_eq!(with_role(&moto, &role, &caller), "value: app/a");
    let other = moto.add_user_with_policy("other", &policy(ALONE));
    let told = with_role(&moto, &role, &other);
    assert!(told.starts_with("unauthenticated: no credentials: "), "{told}");
}

/// Asks for a secret in a process with these credentials, by a role.
fn with_role(moto: &Moto, role: &str, key: &AccessKey) -> String {
    let endpoint = moto.endpoint();
    let environment = [
        ("AWS_ACCESS_KEY_ID", &*key.id),
        ("AWS_SECRET_ACCESS_KEY", &*key.secret),
        ("AWS_ENDPOINT_URL_STS", &*endpoint),
    ];
    let settings = [("region", REGION), ("endpoint-url", &*endpoint), ("role-arn", role)];
    run(&settings, "app/a", &environment).answers.remove(0)
}
