//! Servers that stand in for AWS may write dates as texts. What they answer is as good as it is with numbers.

use std::num::NonZeroUsize;

use secretdir_provider::{RunContext, SecretRequest, SecretSource, SourceErrorKind};
use secretdir_testkit::{Canary, Reply, Stub};

use crate::parameters;
use crate::support::{self, LONG, seen, some_key};

const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret";
const ID: &str = "01234567-89ab-cdef-0123-456789abcdef";

/// The forms that a date comes in: as AWS writes it, and as others do.
const DATES: [&str; 5] =
    ["1764410400.5", r#""2026-11-29T10:00:00.123456Z""#, r#""2026-11-29 10:00""#, r#""""#, "null"];

/// A secret as an answer has it, with this date; in its value stands what looks like a date.
fn secret(name: &str, date: &str) -> String {
    format!(
        r#"{{"CreatedDate":{date},"ARN":"{ARN}:{name}-AbCdEf","Name":"{name}","VersionId":"{ID}",
        "SecretString":"{{\"LastChangedDate\":\"{name}\"}}","VersionStages":["AWSCURRENT"],"LastChangedDate" : {date}}}"#
    )
}

fn value(name: &str) -> Vec<u8> {
    format!(r#"{{"LastChangedDate":"{name}"}}"#).into_bytes()
}

async fn list(source: &dyn SecretSource, prefix: &str) -> Vec<String> {
    let context = RunContext::builder().timeout(LONG).concurrency(NonZeroUsize::MIN).build();
    secretdir_conformance::list(source, &context, prefix).await.unwrap()
}

#[tokio::test]
async fn of_one_secret() {
    for date in DATES {
        let stub = Stub::start(Reply::json(200, secret("app/db", date)));
        let source = support::source(&stub.endpoint(), &some_key());
        let answer = support::fetch(&*source, SecretRequest::new("app/db")).await.unwrap();
        assert_eq!(answer.expose_secret(), value("app/db"), "{date}");
        assert_eq!((answer.revision(), stub.requests()), (Some(ID), 1));
    }
}

#[tokio::test]
async fn of_a_batch() {
    for date in DATES {
        let body = format!(r#"{{"SecretValues":[{},{}],"Errors":[]}}"#, secret("a", date), secret("b", date));
        let stub = Stub::start(Reply::json(200, body));
        let source = support::source(&stub.endpoint(), &some_key());
        let (answers, warnings) = support::ask(&*source, &["a", "b"].map(SecretRequest::new)).await;
        assert_eq!(answers, [Ok(value("a")), Ok(value("b"))], "{date}");
        assert_eq!((warnings.len(), stub.requests()), (0, 1));
    }
}

#[tokio::test]
async fn of_a_listing_of_secrets() {
    for date in DATES {
        let body = format!(
            r#"{{"SecretList":[{{"Name":"app/a","CreatedDate":{date},"LastAccessedDate":{date},"NextRotationDate":{date}}},
            {{"DeletedDate":null,"Name":"app/b","LastRotatedDate":{date}}}]}}"#
        );
        let stub = Stub::start(Reply::json(200, body));
        let source = support::source(&stub.endpoint(), &some_key());
        assert_eq!(list(&*source, "app/").await, ["app/a", "app/b"], "{date}");
        assert_eq!(stub.requests(), 1);
    }
}

#[tokio::test]
async fn of_parameters_by_name_and_by_path() {
    for date in DATES.into_iter().chain([r#"{"seconds":1764410400}"#]) {
        let body = format!(
            r#"{{"Parameters":[{{"LastModifiedDate":{date},"Name":"/app/a","Value":"hunter2","Version":3,
            "ARN":"arn:aws:ssm:eu-west-1:123456789012:parameter/app/a","Labels":[1]}}],"InvalidParameters":[]}}"#
        );
        let stub = Stub::start(Reply::json(200, body));
        let source = parameters::source(&stub.endpoint(), &some_key());
        let answer = support::fetch(&*source, SecretRequest::new("/app/a")).await.unwrap();
        assert_eq!((answer.expose_secret(), answer.revision()), (&b"hunter2"[..], Some("3")), "{date}");
        assert_eq!(list(&*source, "/app/").await, ["/app/a"], "{date}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_without_them_either_is_invalid_and_is_not_quoted() {
    let canary = Canary::new("value", "hunter2-hunter2");
    for body in [
        r#"{"Name":"app/db","CreatedDate":"2026","SecretString":{"hunter2-hunter2":1}}"#,
        r#"{"Name":"app/db","CreatedDate":"2026","SecretString":"hunter2-hunter2"#,
        r#"{"Name":"app/db","CreatedDate":["hunter2-hunter2"]}"#,
    ] {
        let stub = Stub::start(Reply::json(200, body));
        let source = support::source(&stub.endpoint(), &some_key());
        let error = seen(support::fetch(&*source, SecretRequest::new("app/db")).await);
        assert_eq!(error.kind, SourceErrorKind::InvalidData, "{error:?}");
        assert_eq!(error.cause, format!("a reply that cannot be read: HTTP 200, {} bytes", body.len()));
        canary.assert_absent("the error", format!("{error:?}"));
    }
}
