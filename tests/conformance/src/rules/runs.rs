//! One run after another: a source lives for months.

use std::fs;

use secretdir_provider::{Answers, SecretRequest, SecretSource, SourceErrorKind};

use super::{
    DEADLINES, assert_value, built, context, context_within, failure, put, request, requests, source_of,
    story,
};
use crate::fixture::Fixture;

/// The number of runs, and how many of them may warm the source up.
const RUNS: usize = 1_000;
const WARM_UP: usize = 200;

/// The size of the value that each run fetches, and the memory that all runs may leave behind: half of what they have fetched.
const VALUE: usize = 4 << 10;
const MAX_GROWTH: usize = (RUNS - WARM_UP) * VALUE / 2;

/// After 1,000 runs, a source has leaked neither descriptors nor memory.
///
/// The rule runs alone in a process, so other rules cannot disturb the count.
pub async fn many_runs_leave_nothing_behind<F: Fixture>(mut fixture: F) {
    let value = vec![b'x'; VALUE];
    put(&mut fixture, "kept", &value).await;
    let source = source_of(&fixture);
    let (request, prefix) = (request(&fixture, "kept"), fixture.name("kept"));
    let mut before = None;
    for number in 0..RUNS {
        if number == WARM_UP {
            before = Some(Held::now());
        }
        one_run(&*source, &request, &prefix, &value).await;
    }
    let (before, after) = (before.unwrap_or_default(), Held::now());
    let descriptors = after.descriptors.saturating_sub(before.descriptors);
    assert!(descriptors <= 2, "{} runs have leaked {descriptors} descriptors", RUNS - WARM_UP);
    let bytes = after.memory.saturating_sub(before.memory);
    assert!(bytes <= MAX_GROWTH, "{} runs have leaked {bytes} bytes", RUNS - WARM_UP);
}

async fn one_run(source: &dyn SecretSource, request: &SecretRequest, prefix: &str, value: &[u8]) {
    let run = context(1);
    // Another rule tests whether it can list.
    drop(source.list(&run, prefix).await);
    let answers = crate::fetch_all(source, &run, std::slice::from_ref(request)).await;
    answers.iter().for_each(|answer| assert_value("in one of many runs", answer, value));
}

/// The resources of a process. All are zero on systems that do not report them.
#[derive(Default)]
struct Held {
    descriptors: usize,
    /// Resident, in bytes.
    memory: usize,
}

impl Held {
    fn now() -> Self {
        let descriptors = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = resident.and_then(|text| text.split_whitespace().next()?.parse::<usize>().ok());
        Self { descriptors, memory: kib.unwrap_or_default() << 10 }
    }
}

/// A later run, with a new context, sees every change in the store, including removed and new secrets.
pub async fn a_later_run_sees_what_has_changed<F: Fixture>(mut fixture: F) {
    put(&mut fixture, "changes", b"first").await;
    let source = source_of(&fixture);
    let (changes, comes) = (request(&fixture, "changes"), request(&fixture, "comes"));
    assert_value("in the first run", &source.fetch(&context(1), &changes).await, b"first");
    failure("a secret that is yet to come", &source.fetch(&context(1), &comes).await);
    put(&mut fixture, "changes", b"second").await;
    put(&mut fixture, "comes", b"new").await;
    let run = context(1);
    let answers = crate::fetch_all(&*source, &run, &[changes, comes]).await;
    for (answer, value) in answers.iter().zip([&b"second"[..], b"new"]) {
        assert_value("in a later run", answer, value);
    }
}

/// A later run finds a store that did not exist before. The source must not remember that it was missing.
pub async fn a_store_that_appears_later_is_found<F: Fixture>(mut fixture: F) {
    let Some(settings) = fixture.settings_of_later_store() else {
        panic!("the fixture has no store that appears later, nor does it skip this rule");
    };
    let source = built(&fixture, settings);
    let request = request(&fixture, "later");
    for _ in 0..2 {
        let answer = source.fetch(&context(1), &request).await;
        let error = failure("a store that is not there yet", &answer);
        assert_ne!(
            error.kind(),
            SourceErrorKind::NotFound,
            "of a store that is not there yet: {}",
            story(error)
        );
    }
    fixture.open_later_store(request.name(), b"value").await;
    assert_value("a store that is there now", &source.fetch(&context(1), &request).await, b"value");
}

/// Answers that arrived before the deadline are kept, even if another request is never answered.
pub async fn what_arrived_before_the_deadline_counts<F: Fixture>(mut fixture: F) {
    let Some(settings) = fixture.settings_of_stalling_store() else {
        panic!("the fixture has no store that stalls, nor does it skip this rule");
    };
    let source = built(&fixture, settings);
    let requests = requests(&fixture, &["first", "second"]);
    let mut answers = Vec::new();
    for deadline in DEADLINES {
        let run = context_within(deadline, 2);
        let arrived = Answers::new(requests.len());
        // It may end by itself, or be dropped.
        drop(tokio::time::timeout(deadline, source.fetch_all(&run, &requests, &arrived)).await);
        answers = arrived.into_vec();
        if matches!(answers.first(), Some(Some(Ok(_)))) {
            break;
        }
    }
    match answers.first() {
        Some(Some(answer)) => assert_value("the one that was answered", answer, b"first"),
        _ => panic!("the answer that had arrived is lost"),
    }
    if let Some(Some(Ok(_))) = answers.get(1) {
        panic!("the one that is never answered has a value");
    }
}
