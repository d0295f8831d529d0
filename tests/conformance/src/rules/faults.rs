//! Stores that throttle or hang are reported as such.

use std::pin::pin;
use std::time::Duration;

use secretdir_provider::SourceErrorKind;
use tokio::time::Instant;

use super::{Answer, DEADLINES, built, context_within, failure, requests, story};
use crate::canary::chain;
use crate::fixture::Fixture;

/// How often another task on the thread of a fetch wakes while the fetch waits for a store that hangs.
const BEAT: Duration = Duration::from_millis(50);

/// How often it must have run by the deadline. The number is small, because the machine may be busy.
const BEATS: usize = 3;

/// If the store throttles, the error is "throttled" and not only "unavailable". A source that retries by itself ends before the
/// deadline.
pub async fn throttling_is_reported_as_such<F: Fixture>(mut fixture: F) {
    let Some(settings) = fixture.settings_of_throttling_store() else {
        panic!("the fixture has no store that throttles, nor does it skip this rule");
    };
    let source = built(&fixture, settings);
    let requests = requests(&fixture, &["first", "second"]);
    let mut answers = Vec::new();
    for deadline in DEADLINES {
        answers = crate::fetch_all(&*source, &context_within(deadline, 1), &requests).await;
        if answers.iter().all(|answer| failed_with(answer, SourceErrorKind::Throttled)) {
            break;
        }
    }
    assert_all_failed(&answers, requests.len(), "a store that throttles", SourceErrorKind::Throttled);
}

/// If the store never answers, a source with its own time-out reports one. Any other source does not block the thread, so the run
/// can drop it at the deadline.
pub async fn a_store_that_hangs_is_a_time_out<F: Fixture>(mut fixture: F) {
    let Some(settings) = fixture.settings_of_hanging_store() else {
        panic!("the fixture has no store that hangs, nor does it skip this rule");
    };
    let source = built(&fixture, settings);
    let requests = requests(&fixture, &["first", "second"]);
    let [deadline, ..] = DEADLINES;
    let context = context_within(deadline, 2);
    let mut fetch = pin!(crate::fetch_all(&*source, &context, &requests));
    let end = Instant::now() + deadline;
    let (mut beats, mut fetched) = (0, None);
    while fetched.is_none() && Instant::now() < end {
        fetched = tokio::time::timeout(BEAT, &mut fetch).await.ok();
        beats += usize::from(fetched.is_none());
    }
    assert!(
        beats >= BEATS || Instant::now() < end,
        "the thread was blocked: another task ran {beats} times within {deadline:?}"
    );
    if let Some(answers) = fetched {
        assert_all_failed(&answers, requests.len(), "a store that hangs", SourceErrorKind::TimedOut);
    }
}

fn failed_with(answer: &Answer, kind: SourceErrorKind) -> bool {
    answer.as_ref().is_err_and(|error| error.kind() == kind)
}

fn assert_all_failed(answers: &[Answer], count: usize, what: &str, kind: SourceErrorKind) {
    assert_eq!(answers.len(), count, "answers of {what}");
    for answer in answers {
        let error = failure(what, answer);
        assert_eq!(error.kind(), kind, "of {what}: {}", story(error));
        assert!(chain(error).count() > 1, "the error about {what} gives no cause");
    }
}
