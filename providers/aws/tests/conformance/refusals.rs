//! What a real server refuses. It checks signatures and policies as long as nothing is being added to it.

use secretdir_provider::{SecretRequest, SourceErrorKind};
use secretdir_testkit::{AccessKey, Canary, Moto};

use crate::support::{Seen, fetch, seen, some_key, source};

async fn refusal(moto: &Moto, key: &AccessKey, name: &str) -> Seen {
    seen(fetch(&*source(&moto.endpoint(), key), SecretRequest::new(name)).await)
}

#[tokio::test]
async fn a_missing_secret_names_the_region() {
    let moto = Moto::start();
    let error = refusal(&moto, moto.access_key(), "app/nothing").await;
    assert_eq!(error.kind, SourceErrorKind::NotFound);
    assert!(
        error
            .cause
            .starts_with("ResourceNotFoundException: Secrets Manager can't find the specified secret."),
        "{}",
        error.cause
    );
    assert!(error.cause.contains(" (request id "), "{}", error.cause);
    assert!(error.hint.starts_with("eu-west-1 was asked"), "{}", error.hint);
}

#[tokio::test]
async fn a_deleted_secret_is_not_found_and_can_be_restored() {
    let moto = Moto::start();
    moto.create_string("app/db", "hunter2");
    moto.delete("app/db");
    let error = refusal(&moto, moto.access_key(), "app/db").await;
    assert_eq!(error.kind, SourceErrorKind::NotFound, "{}", error.cause);
    assert!(error.hint.contains("restore-secret"), "{}", error.hint);
}

#[tokio::test]
async fn an_unknown_key_is_unauthenticated() {
    let moto = Moto::start();
    moto.create_string("app/db", "hunter2");
    let error = refusal(&moto, &some_key(), "app/db").await;
    assert_eq!(error.kind, SourceErrorKind::Unauthenticated);
    assert!(
        error
            .cause
            .starts_with("InvalidClientTokenId: The security token included in the request is invalid."),
        "{}",
        error.cause
    );
    assert!(error.hint.contains("does not know the access key"), "{}", error.hint);
}

#[tokio::test]
async fn a_wrong_secret_key_is_unauthenticated_and_is_not_shown() {
    let moto = Moto::start();
    moto.create_string("app/db", "hunter2");
    let key = AccessKey { secret: "a-wrong-secret-key".to_owned(), ..moto.access_key().clone() };
    let error = refusal(&moto, &key, "app/db").await;
    assert_eq!(error.kind, SourceErrorKind::Unauthenticated);
    assert!(error.cause.starts_with("SignatureDoesNotMatch: "), "{}", error.cause);
    assert_eq!(error.hint, "the secret access key is wrong, or this machine's clock is");
    Canary::new("secret key", &key.secret).assert_absent("the error", format!("{error:?}"));
}

#[tokio::test]
async fn a_user_without_permission_is_told_which_one() {
    let moto = Moto::start();
    moto.create_string("app/db", "hunter2");
    let key = moto.add_user("lister", &["secretsmanager:ListSecrets"]);
    let error = refusal(&moto, &key, "app/db").await;
    assert_eq!(error.kind, SourceErrorKind::PermissionDenied);
    assert!(
        error.cause.starts_with("AccessDenied: User: arn:aws:iam::123456789012:user/lister"),
        "{}",
        error.cause
    );
    assert!(error.hint.contains("secretsmanager:GetSecretValue"), "{}", error.hint);
}
