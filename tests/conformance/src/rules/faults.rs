//! What a store does on a bad day, told as what it is.

use std::pin::pin;
use std::time::Duration;

use secretdir_provider::SourceErrorKind;
use tokio::time::Instant;

use super::{Answer, DEADLINES, built, context_within, failure, requests, story};
use crate::canary::chain;
use crate::fixture::Fixture;

/// How often others on the thread of a fetch want their turn while it waits for a store that hangs.
const BEAT: Duration = Duration::from_millis(50);

/// How often they must have had it, at least, by the deadline: the machine may be busy with something else.
const BEATS: usize = 3;

/// A store that asks for fewer requests is throttling, and not merely unavailable. A source that waits and asks again is
/// done before the deadline.
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

/// A store that never answers is a time-out where the source has one of its own; else the source can be dropped at the
/// deadline, for it does not block the thread.
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
        "the thread was blocked: others had it {beats} times within {deadline:?}"
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
