//! What a store does on a bad day, told as what it is.

use std::time::{Duration, Instant};

use secretdir_provider::SourceErrorKind;

use super::{Answer, built, context_within, failure, requests, story};
use crate::canary::chain;
use crate::fixture::Fixture;

/// How long a run has that asks a store which hangs, or throttles.
const DEADLINE: Duration = Duration::from_secs(3);

/// How late a fetch may notice that it was dropped: the time that a busy machine may need.
const LATE: Duration = Duration::from_secs(5);

/// A store that asks for fewer requests is throttling, and not merely unavailable. A source that waits and asks again is
/// done before the deadline.
pub async fn throttling_is_reported_as_such<F: Fixture>(mut fixture: F) {
    let Some(settings) = fixture.settings_of_throttling_store() else {
        panic!("the fixture has no store that throttles, nor does it skip this rule");
    };
    let source = built(&fixture, settings);
    let requests = requests(&fixture, &["first", "second"]);
    let answers = crate::fetch_all(&*source, &context_within(DEADLINE, 1), &requests).await;
    assert_all_failed(&answers, requests.len(), "a store that throttles", SourceErrorKind::Throttled);
}

/// A store that never answers is a time-out where the source has one of its own; else the source can be dropped at the
/// deadline, for it does not block the thread.
pub async fn a_store_that_hangs_is_a_time_out<F: Fixture>(mut fixture: F) {
    let Some(settings) = fixture.settings_of_hanging_store() else {
        panic!("the fixture has no store that hangs, nor does it skip this rule");
    };
    let source = built(&fixture, settings);
    let requests = requests(&fixture, &["first", "second"]);
    let context = context_within(DEADLINE, 2);
    let start = Instant::now();
    let fetched = tokio::time::timeout(DEADLINE, crate::fetch_all(&*source, &context, &requests)).await;
    let taken = start.elapsed();
    assert!(
        taken < DEADLINE + LATE,
        "the thread was blocked: the deadline is {DEADLINE:?}, it took {taken:?}"
    );
    if let Ok(answers) = fetched {
        assert_all_failed(&answers, requests.len(), "a store that hangs", SourceErrorKind::TimedOut);
    }
}

fn assert_all_failed(answers: &[Answer], count: usize, what: &str, kind: SourceErrorKind) {
    assert_eq!(answers.len(), count, "answers of {what}");
    for answer in answers {
        let error = failure(what, answer);
        assert_eq!(error.kind(), kind, "of {what}: {}", story(error));
        assert!(chain(error).count() > 1, "the error about {what} gives no cause");
    }
}
