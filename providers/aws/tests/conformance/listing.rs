//! What is below a prefix: all of it, or an error.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use secretdir_provider::{
    Provider as _, RunContext, SecretSource, Settings, SourceErrorKind, Value, Warnings,
};
use secretdir_testkit::{Canary, Fault, REGION, Reply, Strict, Stub};

use crate::parameters;
use crate::support::{self, LONG, Seen, seen, some_key};

pub(crate) const OTHER: &str = "eu-central-1";

/// A service, and how it lists.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Service {
    Secrets,
    Parameters,
}

use Service::{Parameters, Secrets};

impl Service {
    fn action(self) -> &'static str {
        match self {
            Secrets => "ListSecrets",
            Parameters => "GetParametersByPath",
        }
    }

    pub(crate) fn source(self, endpoint: &str, failover: &[&str]) -> Box<dyn SecretSource> {
        let mut settings = support::table(&[("region", REGION), ("endpoint-url", endpoint)]);
        let failover: Vec<_> = failover.iter().map(|region| Value::from(*region)).collect();
        settings.insert("failover-region".to_owned(), Value::Array(failover));
        let provider = match self {
            Secrets => support::provider(&some_key()),
            Parameters => parameters::provider(&some_key()),
        };
        provider.source(Settings::new(settings, "/")).unwrap()
    }
}

fn context(time: Duration) -> RunContext {
    RunContext::builder().timeout(time).concurrency(NonZeroUsize::MIN).build()
}

/// Lists with time enough, and sorts.
async fn list(source: &dyn SecretSource, prefix: &str) -> Vec<String> {
    let mut names = secretdir_conformance::list(source, &context(LONG), prefix).await.unwrap();
    names.sort();
    names
}

async fn failed(source: &dyn SecretSource, prefix: &str) -> Seen {
    seen(secretdir_conformance::list(source, &context(LONG), prefix).await)
}

/// Starts a server with so many names below `/app/`, and returns them sorted.
pub(crate) fn server(count: usize) -> (Strict, Vec<String>) {
    let server = Strict::start();
    let names: Vec<_> = (0..count).map(|number| format!("/app/{number:03}")).collect();
    names.iter().for_each(|name| server.put(name, "hunter2-hunter2"));
    (server, names)
}

#[tokio::test]
async fn pages_are_as_long_as_they_can_be_and_hold_nothing_else() {
    for (service, count) in [(Secrets, 250), (Parameters, 25)] {
        let (server, names) = server(count);
        (0..100).for_each(|number| server.put(&format!("/app-2/{number}"), "another"));
        assert_eq!(list(&*service.source(&server.endpoint(), &[]), "/app/").await, names, "{service:?}");
        assert_eq!((server.calls(service.action()), server.all_calls()), (3, 3), "{service:?}");
    }
}

#[tokio::test]
async fn what_only_looks_alike_is_left_out_and_what_may_not_be_read_is_not() {
    let server = Strict::start();
    for name in ["/app/db", "/app/db-2", "/app/deep/db", "/application/x", "/App/db", "/app", "/other/app/db"]
    {
        server.put(name, "hunter2-hunter2");
    }
    server.deny("/app/denied");
    server.delete("/app/deleted");
    for service in [Secrets, Parameters] {
        let source = service.source(&server.endpoint(), &[]);
        let all = ["/app/db", "/app/db-2", "/app/deep/db", "/app/denied"];
        assert_eq!(list(&*source, "/app/").await, all, "{service:?}");
        assert_eq!(list(&*source, "/app/db").await, ["/app/db", "/app/db-2"], "{service:?}");
        assert_eq!(list(&*source, "/app/db-").await, ["/app/db-2"], "{service:?}");
        assert_eq!(list(&*source, "/appl").await, ["/application/x"], "{service:?}");
        assert_eq!(list(&*source, "/nothing/").await, [""; 0], "{service:?}");
        assert_eq!(list(&*source, "/").await.len(), 8, "{service:?}");
    }
}

#[tokio::test]
async fn an_empty_prefix_lists_all_secrets_and_an_exclamation_mark_does_not_turn_one_round() {
    let server = Strict::start();
    for name in ["rds!db", "!odd", "app/db"] {
        server.put(name, "hunter2-hunter2");
    }
    let source = Secrets.source(&server.endpoint(), &[]);
    assert_eq!(list(&*source, "").await, ["!odd", "app/db", "rds!db"]);
    assert_eq!(list(&*source, "!").await, ["!odd"]);
    assert_eq!(list(&*source, "rds!").await, ["rds!db"]);
}

#[tokio::test]
async fn a_prefix_that_cannot_be_listed_is_refused_without_a_call() {
    let server = Strict::start();
    for (service, prefix, hint) in [
        (Secrets, "app ", "a name has ASCII letters"),
        (Secrets, "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app", "the beginning of NAME"),
        (Parameters, "", "the / before the first level"),
        (Parameters, "app", "the / before the first level"),
        (Parameters, "arn:aws:ssm:eu-west-1:123456789012:parameter/app", "the / before the first level"),
        (Parameters, "/app//", "a name has ASCII letters"),
    ] {
        let source = service.source(&server.endpoint(), &[]);
        let error = failed(&*source, prefix).await;
        assert_eq!(error.kind, SourceErrorKind::InvalidRequest, "{prefix}");
        assert!(error.hint.contains(hint), "{prefix}: {}", error.hint);
        let checked = source.check_prefix(prefix).unwrap_err();
        assert_eq!((checked.kind(), checked.hint().unwrap()), (error.kind, &*error.hint), "{prefix}");
    }
    assert_eq!(server.all_calls(), 0);
}

#[tokio::test]
async fn a_denied_listing_says_which_statement_is_missing() {
    for (service, action) in
        [(Secrets, "secretsmanager:ListSecrets"), (Parameters, "ssm:GetParametersByPath")]
    {
        let (server, _) = server(1);
        server.set_fault(Fault::Deny(vec![service.action()]));
        let error = failed(&*service.source(&server.endpoint(), &[OTHER]), "/app/").await;
        assert_eq!(error.kind, SourceErrorKind::PermissionDenied);
        assert!(error.hint.contains(&format!(r#""Action": "{action}""#)), "{}", error.hint);
        assert_eq!(server.all_calls(), 1, "what a region says stands");
    }
}

#[tokio::test]
async fn a_listing_that_breaks_off_or_cannot_be_read_is_no_part_of_one() {
    for (service, count) in [(Secrets, 250), (Parameters, 25)] {
        for (fault, kind) in [
            (Fault::ResetAfter(1, REGION), SourceErrorKind::Unavailable),
            (Fault::Malformed, SourceErrorKind::InvalidData),
            (Fault::Unknown(vec![service.action()]), SourceErrorKind::Unsupported),
        ] {
            let (server, _) = server(count);
            server.set_fault(fault);
            let error = failed(&*service.source(&server.endpoint(), &[]), "/app/").await;
            assert_eq!(error.kind, kind, "{service:?}: {error:?}");
            Canary::new("value", "hunter2-hunter2").assert_absent("the error", format!("{error:?}"));
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_no_page_or_always_the_same_one_is_invalid() {
    for (service, list_of) in [(Secrets, "SecretList"), (Parameters, "Parameters")] {
        for (body, cause) in [
            ("{}".to_owned(), "the answer has no list"),
            (format!(r#"{{"{list_of}": [{{}}]}}"#), "an entry of the list has no name"),
            (
                format!(
                    r#"{{"{list_of}": [{{"Name": "/app/a", "Value": "hunter2"}}], "NextToken": "again"}}"#
                ),
                "the list does not end: each page names a next one",
            ),
        ] {
            let stub = Stub::start(Reply::json(200, body));
            let error = failed(&*service.source(&stub.endpoint(), &[]), "/app/").await;
            assert_eq!((error.kind, &*error.cause), (SourceErrorKind::InvalidData, cause), "{service:?}");
            assert!(error.hint.contains("endpoint-url"), "{}", error.hint);
            assert!(stub.requests() <= 2);
        }
    }
}

#[tokio::test]
async fn a_name_that_cannot_be_fetched_is_not_listed_and_no_value_is_asked_for() {
    for (service, list_of) in [(Secrets, "SecretList"), (Parameters, "Parameters")] {
        let body = format!(r#"{{"{list_of}": [{{"Name": "/app/a b"}}, {{"Name": "/app/a"}}]}}"#);
        let stub = Stub::start(Reply::json(200, body));
        assert_eq!(list(&*service.source(&stub.endpoint(), &[]), "/app/").await, ["/app/a"], "{service:?}");
        let (_, request) = stub.seen().remove(0);
        assert!(!request.contains(r#""WithDecryption":true"#), "{request}");
    }
}

#[tokio::test]
async fn with_every_other_call_throttled_a_listing_is_complete() {
    for (service, count) in [(Secrets, 450), (Parameters, 45)] {
        let (server, names) = server(count);
        server.set_fault(Fault::ThrottleEveryOther);
        assert_eq!(list(&*service.source(&server.endpoint(), &[]), "/app/").await, names, "{service:?}");
        assert_eq!(server.all_calls(), 10, "{service:?}");
    }
}

#[tokio::test]
async fn after_a_pause_a_listing_goes_on_with_the_page_that_was_throttled() {
    let (server, names) = server(25);
    // Longer than the SDK waits by itself.
    server.set_fault(Fault::ThrottleOne { call: 2, seconds: 6 });
    let start = Instant::now();
    assert_eq!(list(&*Parameters.source(&server.endpoint(), &[]), "/app/").await, names);
    assert!(start.elapsed() >= Duration::from_secs(6), "{:?}", start.elapsed());
    assert_eq!(server.all_calls(), 4);
}

#[tokio::test]
async fn with_every_call_throttled_a_listing_ends_before_the_deadline() {
    let (server, _) = server(25);
    server.set_fault(Fault::Throttle);
    let source = Parameters.source(&server.endpoint(), &[]);
    let time = Duration::from_secs(6);
    let answer = tokio::time::timeout(time, secretdir_conformance::list(&*source, &context(time), "/app/"))
        .await
        .unwrap();
    assert_eq!(seen(answer).kind, SourceErrorKind::Throttled);
    assert!((3..=5).contains(&server.all_calls()), "{} calls", server.all_calls());
}

#[tokio::test]
async fn where_the_first_region_is_down_no_other_is_listed_which_may_have_a_part_only() {
    for (service, count) in [(Secrets, 250), (Parameters, 25)] {
        for fault in [Fault::Reset(REGION), Fault::ResetAfter(2, REGION)] {
            let (server, _) = server(count);
            server.set_fault(fault);
            let warnings = Warnings::default();
            let context = RunContext::builder().timeout(LONG).warnings(warnings.clone()).build();
            let source = service.source(&server.endpoint(), &[OTHER]);
            let failed = seen(secretdir_conformance::list(&*source, &context, "/app/").await);
            assert_eq!(
                (failed.kind, server.calls_to(OTHER)),
                (SourceErrorKind::Unavailable, 0),
                "{service:?}"
            );
            assert_eq!(warnings.to_vec(), [""; 0]);
        }
    }
}
