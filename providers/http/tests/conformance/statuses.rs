//! What each status means.

use std::time::Duration;

use secretdir_provider::{Retry, SourceErrorKind as Kind, Value};
use secretdir_testkit::{Reply, Stub};

use crate::support::{failure, settings, story, value};

const SOON: Retry = Retry::After(Duration::ZERO);

fn statuses(all: &[i64]) -> Value {
    Value::Array(all.iter().copied().map(Value::Integer).collect())
}

#[tokio::test]
async fn each_status_has_its_kind() {
    for (status, kind, retry, hint) in [
        (201, Kind::InvalidData, Retry::No, "only the statuses 200 and 203"),
        (204, Kind::InvalidData, Retry::No, "`not-found`"),
        (206, Kind::InvalidData, Retry::No, "only the statuses 200 and 203"),
        (300, Kind::InvalidData, Retry::No, "only the statuses 200 and 203"),
        (304, Kind::InvalidData, Retry::No, "only the statuses 200 and 203"),
        (400, Kind::InvalidRequest, Retry::No, "check the name"),
        (401, Kind::Unauthenticated, Retry::No, "still valid"),
        (403, Kind::PermissionDenied, Retry::No, "have permission to read"),
        (404, Kind::Unavailable, Retry::No, "`not-found`"),
        (405, Kind::InvalidRequest, Retry::No, "`method`"),
        (407, Kind::Unavailable, Retry::No, "the proxy"),
        (408, Kind::TimedOut, SOON, ""),
        (410, Kind::Unavailable, Retry::No, "`not-found`"),
        (425, Kind::Throttled, SOON, ""),
        (429, Kind::Throttled, SOON, ""),
        (500, Kind::Unavailable, SOON, "see its log"),
        (501, Kind::Unavailable, Retry::No, "see its log"),
        (503, Kind::Unavailable, SOON, ""),
        (599, Kind::Unavailable, SOON, "see its log"),
    ] {
        let stub = Stub::start(Reply::json(status, "canary-in-a-body"));
        let error = failure(settings(&stub.endpoint(), [])).await;
        assert_eq!((error.kind(), error.retry()), (kind, retry), "{status}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{status}: {}", story(&error));
        let place = stub.endpoint().replace("http://", "");
        assert!(story(&error).contains(&format!("{place} answered {status}")), "{}", story(&error));
        assert!(!format!("{} {error:?}", story(&error)).contains("canary"), "{}", story(&error));
    }
}

#[tokio::test]
async fn only_what_the_settings_name_is_not_found() {
    let more = || [("not-found", statuses(&[404, 204]))];
    for (status, kind) in [(404, Kind::NotFound), (204, Kind::NotFound), (410, Kind::Unavailable)] {
        let stub = Stub::start(Reply::json(status, ""));
        assert_eq!(failure(settings(&stub.endpoint(), more())).await.kind(), kind, "{status}");
    }
    let stub = Stub::start(Reply::json(203, "hunter2"));
    assert_eq!(value(settings(&stub.endpoint(), more()), "app").await, "hunter2");
}

#[tokio::test]
async fn a_server_may_say_when_to_ask_again() {
    for status in [429, 503] {
        let headers = vec![("Retry-After".to_owned(), "7".to_owned())];
        let stub = Stub::start(Reply::Answer { status, headers, body: Vec::new() });
        let error = failure(settings(&stub.endpoint(), [])).await;
        assert_eq!(error.retry(), Retry::After(Duration::from_secs(7)), "{status}");
    }
    let headers = vec![("Retry-After".to_owned(), "Wed, 21 Oct 2015 07:28:00 GMT".to_owned())];
    let stub = Stub::start(Reply::Answer { status: 429, headers, body: Vec::new() });
    assert_eq!(failure(settings(&stub.endpoint(), [])).await.retry(), SOON);
}
