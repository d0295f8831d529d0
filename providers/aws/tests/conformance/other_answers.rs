//! An answer about something else than what was asked for is an error, however the question was asked.

use std::num::NonZeroUsize;

use secretdir_provider::Provider as _;
use secretdir_provider::{
    RunContext, Secret, SecretRequest, SecretSource, Settings, SourceError, SourceErrorKind,
};
use secretdir_testkit::{Canary, Fault, REGION, Strict};

use crate::parameters;
use crate::support::{LONG, chain, some_key, source, table};

const VALUE: &str = "canary-of-the-value";
const ID: &str = "01234567-89ab-cdef-0123-456789abcdef";

/// A server with two secrets, of which the second is a parameter too.
fn server() -> Strict {
    let server = Strict::start();
    for name in ["app/db", "/app/db", "app/second", "/app/second"] {
        server.put(name, VALUE);
    }
    server
}

fn parameter_store(server: &Strict) -> Box<dyn SecretSource> {
    let settings = table(&[("region", REGION), ("endpoint-url", &server.endpoint())]);
    parameters::provider(&some_key()).source(Settings::new(settings, "/")).unwrap()
}

async fn ask(source: &dyn SecretSource, requests: &[SecretRequest]) -> Vec<Result<Secret, SourceError>> {
    let context = RunContext::builder().timeout(LONG).concurrency(NonZeroUsize::MIN).build();
    secretdir_conformance::fetch_all(source, &context, requests).await
}

/// Asks once as the server is, and once with this fault. The first answer is then invalid and says so; the others are as they were.
async fn expect_refused(
    source: &dyn SecretSource,
    server: &Strict,
    fault: (&'static str, &'static str),
    requests: &[SecretRequest],
) {
    server.set_fault(Fault::None);
    for answer in ask(source, requests).await {
        assert_eq!(answer.unwrap().expose_secret(), VALUE.as_bytes());
    }
    server.set_fault(Fault::Replace(fault.0, fault.1));
    let mut answers = ask(source, requests).await.into_iter();
    let (asked, error) = (&requests[0], answers.next().unwrap().unwrap_err());
    assert_eq!(error.kind(), SourceErrorKind::InvalidData, "{fault:?}: {}", chain(&error));
    assert!(chain(&error).contains(asked.name()), "{fault:?}: {}", chain(&error));
    assert!(error.hint().is_some());
    Canary::new("value", VALUE).assert_absent("the error", format!("{error:?}"));
    assert!(answers.all(|answer| answer.is_ok()), "{fault:?}");
}

#[tokio::test]
async fn of_another_secret() {
    let server = server();
    let source = source(&server.endpoint(), &some_key());
    let arn = server.arn(REGION, "app/db");
    let partial = arn.trim_end_matches("-AbCdEf");
    let second = SecretRequest::new("app/second");
    for id in ["app/db", &arn, partial] {
        for fault in [
            (r#""Name":"app/db""#, r#""Name":"app/other""#),
            ("secret:app/db-", "secret:app/other-"),
            ("app/db", "app/other"),
            ("app/db", "app/db2"),
        ] {
            let asked = SecretRequest::new(id);
            expect_refused(&*source, &server, fault, std::slice::from_ref(&asked)).await;
            expect_refused(&*source, &server, fault, &[asked.with_version("AWSCURRENT")]).await;
            expect_refused(&*source, &server, fault, &[SecretRequest::new(id), second.clone()]).await;
        }
    }
    expect_refused(
        &*source,
        &server,
        ("123456789012:secret:app/db", "999999999999:secret:app/db"),
        &[SecretRequest::new(&*arn)],
    )
    .await;
}

#[tokio::test]
async fn of_another_version() {
    let server = server();
    let source = source(&server.endpoint(), &some_key());
    let asked = |version: &str| [SecretRequest::new("app/db").with_version(version)];
    expect_refused(&*source, &server, ("01234567-", "f1234567-"), &asked(&format!("id:{ID}"))).await;
    for fault in [("VersionId", "Version"), (ID, "")] {
        expect_refused(&*source, &server, fault, &asked(&format!("id:{ID}"))).await;
    }
    let previous = ("AWSCURRENT", "AWSPREVIOUS");
    expect_refused(&*source, &server, previous, &asked("AWSCURRENT")).await;
    expect_refused(&*source, &server, previous, &[SecretRequest::new("app/db")]).await;
    // In a batch all are current versions, or none is.
    server.set_fault(Fault::Replace(previous.0, previous.1));
    for answer in ask(&*source, &["app/db", "app/second"].map(SecretRequest::new)).await {
        assert_eq!(answer.unwrap_err().kind(), SourceErrorKind::InvalidData);
    }
}

#[tokio::test]
async fn of_another_parameter() {
    let server = server();
    let source = parameter_store(&server);
    let arn = format!("arn:aws:ssm:{REGION}:123456789012:parameter/app/db");
    let second = SecretRequest::new("/app/second");
    for name in ["/app/db", arn.as_str()] {
        for fault in [
            (r#""Name":"/app/db""#, r#""Name":"/app/other""#),
            ("parameter/app/db", "parameter/app/other"),
            ("/app/db", "/app/other"),
        ] {
            let asked = SecretRequest::new(name);
            expect_refused(&*source, &server, fault, std::slice::from_ref(&asked)).await;
            expect_refused(&*source, &server, fault, &[asked.with_version("3")]).await;
            expect_refused(&*source, &server, fault, &[SecretRequest::new(name), second.clone()]).await;
        }
    }
    expect_refused(
        &*source,
        &server,
        ("123456789012:parameter/app/db", "999999999999:parameter/app/db"),
        &[SecretRequest::new(&*arn)],
    )
    .await;
}

#[tokio::test]
async fn of_another_version_of_a_parameter() {
    let server = server();
    let source = parameter_store(&server);
    let asked = |version: &str| [SecretRequest::new("/app/db").with_version(version)];
    expect_refused(&*source, &server, (r#""Version":3"#, r#""Version":4"#), &asked("3")).await;
    expect_refused(&*source, &server, (r#""Selector":":3""#, r#""Selector":":4""#), &asked("3")).await;
    expect_refused(&*source, &server, (r#""Selector":":live""#, r#""Selector":":old""#), &asked("live"))
        .await;
}
