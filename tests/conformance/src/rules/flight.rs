//! Concurrent fetches, and fetches that are dropped.

use std::future::poll_fn;
use std::task::Poll;

use secretdir_provider::{Answers, SecretRequest, SecretSource};
use tokio::task::JoinSet;

use super::{assert_value, context, put, requests, source_of};
use crate::fixture::Fixture;

/// A fetch is dropped at each of this many awaits, and then at fewer and fewer of the later ones.
const EACH: usize = 100;

/// The number of requests to the counting store, and how many of them may be in flight at once.
const COUNTED: usize = 12;
const AT_ONCE: usize = 3;

/// Several sources of one provider work concurrently on one thread.
pub async fn sources_are_asked_side_by_side<F: Fixture>(mut fixture: F) {
    let labels = ["first", "second", "third"];
    put_all(&mut fixture, &labels).await;
    let mut fetches = JoinSet::new();
    for _ in 0..4 {
        let (source, requests) = (source_of(&fixture), requests(&fixture, &labels));
        fetches.spawn(async move { crate::fetch_all(&*source, &context(2), &requests).await });
    }
    while let Some(fetched) = fetches.join_next().await {
        let answers = fetched.unwrap_or_else(|error| panic!("side by side: {error}"));
        assert_eq!(answers.len(), labels.len(), "answers of a source beside others");
        for (label, answer) in labels.iter().zip(&answers) {
            assert_value("from a source beside others", answer, label.as_bytes());
        }
    }
}

/// Within `fetch_all`, no more requests are in flight than the context allows.
pub async fn no_more_requests_are_in_flight_than_allowed<F: Fixture>(mut fixture: F) {
    let Some(settings) = fixture.settings_of_counting_store() else {
        panic!("the fixture has no store that counts, nor does it skip this rule");
    };
    let source = super::built(&fixture, settings);
    let labels: Vec<_> = (0..COUNTED).map(|number| format!("counted-{number}")).collect();
    let labels: Vec<_> = labels.iter().map(String::as_str).collect();
    let answers = crate::fetch_all(&*source, &context(AT_ONCE), &requests(&fixture, &labels)).await;
    assert_eq!(answers.len(), COUNTED, "answers of the store that counts");
    let most = fixture.most_at_once();
    assert!(most > 0, "the store that counts has seen no request");
    assert!(most <= AT_ONCE, "{most} requests were in flight at once, where {AT_ONCE} are allowed");
}

/// A fetch of a new source can be dropped at any await. The source answers the next fetch.
pub async fn a_dropped_fetch_does_no_harm<F: Fixture>(mut fixture: F) {
    let labels = ["first", "second", "third"];
    put_all(&mut fixture, &labels).await;
    let requests = requests(&fixture, &labels);
    let mut polls = 1;
    loop {
        let source = source_of(&fixture);
        let end = poll_times(&*source, &requests, polls).await;
        let answers = crate::fetch_all(&*source, &context(2), &requests).await;
        assert_eq!(answers.len(), labels.len(), "answers after a fetch that was dropped at await {polls}");
        for (label, answer) in labels.iter().zip(&answers) {
            let what = format!("after a fetch that was dropped at await {polls}");
            assert_value(&what, answer, label.as_bytes());
        }
        if matches!(end, End::Answered) {
            break;
        }
        polls += 1 + polls / EACH;
    }
}

/// How a fetch ended.
enum End {
    Answered,
    Dropped,
}

/// Polls a fetch this many times, each time after it is woken, and drops it.
async fn poll_times(source: &dyn SecretSource, requests: &[SecretRequest], polls: usize) -> End {
    let context = context(2);
    let answers = Answers::new(requests.len());
    let mut fetch = source.fetch_all(&context, requests, &answers);
    let mut left = polls;
    poll_fn(|task| {
        left -= 1;
        match fetch.as_mut().poll(task) {
            Poll::Ready(_) => Poll::Ready(End::Answered),
            Poll::Pending if left == 0 => Poll::Ready(End::Dropped),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Puts secrets with these labels into the store. The value of each is its label.
async fn put_all<F: Fixture>(fixture: &mut F, labels: &[&str]) {
    for label in labels {
        put(fixture, label, label.as_bytes()).await;
    }
}
