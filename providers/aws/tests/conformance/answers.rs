//! What a real server has, by every way of naming it.

use std::num::NonZeroUsize;

use secretdir_provider::{RunContext, SecretRequest, SourceErrorKind};
use secretdir_testkit::{Moto, REGION};

use crate::support::{LONG, fetch, seen, source};

#[tokio::test]
async fn by_name_and_by_arn_with_and_without_its_suffix() {
    let moto = Moto::start();
    let arn = moto.create_string("app/db", "hunter2");
    let (partial, _) = arn.rsplit_once('-').unwrap();
    let source = source(&moto.endpoint(), moto.access_key());
    for name in ["app/db", &arn, partial] {
        let secret = fetch(&*source, SecretRequest::new(name)).await.unwrap();
        assert_eq!(secret.expose_secret(), b"hunter2", "{name}");
        assert_eq!(secret.origin(), Some(REGION));
        assert_eq!(secret.revision().map(str::len), Some(36), "the version's id");
    }
}

#[tokio::test]
async fn binary_with_all_256_byte_values() {
    let moto = Moto::start();
    let value: Vec<u8> = (0..=255).collect();
    let arn = moto.create_binary("app/key", &value);
    let source = source(&moto.endpoint(), moto.access_key());
    for name in ["app/key", &arn] {
        assert_eq!(fetch(&*source, SecretRequest::new(name)).await.unwrap().expose_secret(), value);
    }
}

#[tokio::test]
async fn by_stage_and_by_version_id() {
    let moto = Moto::start();
    moto.create_string("app/db", "old");
    let new = moto.put_string("app/db", "new");
    let source = source(&moto.endpoint(), moto.access_key());
    let version = async |version: &str| {
        let secret = fetch(&*source, SecretRequest::new("app/db").with_version(version)).await.unwrap();
        (String::from_utf8(secret.expose_secret().to_vec()).unwrap(), secret.revision().unwrap().to_owned())
    };

    let (value, old) = version("AWSPREVIOUS").await;
    assert_eq!(value, "old");
    assert_eq!(version("AWSCURRENT").await, ("new".to_owned(), new.clone()));
    assert_eq!(version(&format!("id:{old}")).await, ("old".to_owned(), old));
    assert_eq!(version(&format!("id:{new}")).await, ("new".to_owned(), new));
}

#[tokio::test]
async fn a_version_that_the_secret_does_not_have_is_not_found() {
    let moto = Moto::start();
    moto.create_string("app/db", "only");
    let source = source(&moto.endpoint(), moto.access_key());
    let error = seen(fetch(&*source, SecretRequest::new("app/db").with_version("AWSPREVIOUS")).await);
    assert_eq!(error.kind, SourceErrorKind::NotFound);
    assert!(error.hint.contains("AWSPREVIOUS"), "{}", error.hint);
}

#[tokio::test]
async fn twenty_requests_are_one_call() {
    let moto = Moto::start();
    let requests: Vec<_> = (0..20).map(|n| SecretRequest::new(format!("app/{n}"))).collect();
    for request in &requests {
        moto.create_string(request.name(), request.name());
    }
    let source = source(&moto.endpoint(), moto.access_key());
    let context = RunContext::builder().timeout(LONG).concurrency(NonZeroUsize::new(8).unwrap()).build();
    for (request, answer) in
        requests.iter().zip(secretdir_conformance::fetch_all(&*source, &context, &requests).await)
    {
        assert_eq!(answer.unwrap().expose_secret(), request.name().as_bytes());
    }
    assert_eq!((moto.calls("BatchGetSecretValue"), moto.calls("GetSecretValue")), (1, 0));
}
