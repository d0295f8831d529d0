//! Each request has one answer, whatever happens to the others.

use secretdir_provider::{SourceError, SourceErrorKind};

use super::{assert_value, built, context, failure, put, request, source_of, story};
use crate::canary::chain;
use crate::fixture::Fixture;

/// More than one call of any batch interface takes.
const MANY: usize = 45;

/// If the store does not have a secret, the error is "not found" and gives a cause.
pub async fn an_absent_secret_is_not_found<F: Fixture>(mut fixture: F) {
    put(&mut fixture, "present", b"value").await;
    let source = source_of(&fixture);
    let request = request(&fixture, "absent");
    let alone = source.fetch(&context(1), &request).await;
    let together = crate::fetch_all(&*source, &context(1), std::slice::from_ref(&request)).await;
    assert_eq!(together.len(), 1, "answers of `fetch_all` to one request");
    for answer in together.iter().chain([&alone]) {
        let error = failure("an absent secret", answer);
        assert_eq!(error.kind(), SourceErrorKind::NotFound, "of an absent secret: {}", story(error));
        assert!(chain(error).count() > 1, "the error about an absent secret gives no cause");
    }
}

/// If the store does not exist, each request and each listing fails. There is no panic, no secret and no endless wait. No error is
/// "not found", because the run would then leave out optional files.
pub async fn an_absent_store_is_an_error<F: Fixture>(fixture: F) {
    let source = built(&fixture, fixture.settings_of_no_store());
    let requests = ["first", "second"].map(|label| request(&fixture, label));
    let answers = crate::fetch_all(&*source, &context(2), &requests).await;
    assert_eq!(answers.len(), 2, "answers of `fetch_all` to two requests");
    for answer in answers.iter().chain([&source.fetch(&context(1), &requests[0]).await]) {
        assert_unasked("an answer", failure("a store that is not there", answer));
    }
    match source.list(&context(2), &fixture.name("first")).await {
        Ok(_) => panic!("a store that does not exist is listed"),
        Err(error) => assert_unasked("a listing", &error),
    }
}

fn assert_unasked(what: &str, error: &SourceError) {
    let kind = error.kind();
    assert_ne!(kind, SourceErrorKind::NotFound, "{what} of a store that is not there: {}", story(error));
}

/// Many requests have their own answers, in any order of names and with any concurrency.
pub async fn every_request_has_its_answer_in_order<F: Fixture>(mut fixture: F) {
    // 7 and MANY have no common divisor, so the order differs from the order of the names and from the order of storing.
    let labels: Vec<_> = (0..MANY).map(|number| format!("many-{}", number * 7 % MANY)).collect();
    for number in 0..MANY {
        let label = format!("many-{number}");
        put(&mut fixture, &label, label.as_bytes()).await;
    }
    let source = source_of(&fixture);
    let requests: Vec<_> = labels.iter().map(|label| request(&fixture, label)).collect();
    for concurrency in [1, 8, MANY] {
        let answers = crate::fetch_all(&*source, &context(concurrency), &requests).await;
        assert_eq!(answers.len(), MANY, "answers with a concurrency of {concurrency}");
        for (label, answer) in labels.iter().zip(&answers) {
            assert_value(label, answer, label.as_bytes());
        }
    }
    assert!(crate::fetch_all(&*source, &context(1), &[]).await.is_empty(), "no request has no answer");
}

/// If one of several requests fails, it has its own error, and the others have their values.
pub async fn a_failure_leaves_the_others_intact<F: Fixture>(mut fixture: F) {
    for label in ["first", "last"] {
        put(&mut fixture, label, label.as_bytes()).await;
    }
    let source = source_of(&fixture);
    let requests = ["first", "absent", "last"].map(|label| request(&fixture, label));
    for concurrency in [1, 8] {
        let answers = crate::fetch_all(&*source, &context(concurrency), &requests).await;
        let [first, absent, last] = answers.as_slice() else {
            panic!("{} answers to three requests", answers.len());
        };
        assert_value("the one before", first, b"first");
        assert_eq!(failure("the absent one", absent).kind(), SourceErrorKind::NotFound);
        assert_value("the one after", last, b"last");
    }
}

/// A source that has answered or failed gives the same answer again.
pub async fn a_source_can_be_asked_again<F: Fixture>(mut fixture: F) {
    put(&mut fixture, "again", b"value").await;
    let source = source_of(&fixture);
    let (present, absent) = (request(&fixture, "again"), request(&fixture, "absent"));
    for _ in 0..3 {
        failure("the absent one", &source.fetch(&context(1), &absent).await);
        assert_value("asked again", &source.fetch(&context(1), &present).await, b"value");
    }
}
