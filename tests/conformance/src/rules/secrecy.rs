//! No value and no credential is shown.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;

use secretdir_provider::{RunContext, SecretRequest, SecretSource, SourceErrorKind, Warnings};

use super::{Answer, built, context_with, failure, put, request, source_of};
use crate::canary::{CANARY, Canaries};
use crate::fixture::Fixture;
use crate::traces::Traces;

/// No value and no credential is in any output: `Debug` of the secret, errors and their causes, hints, warnings, traces and panics.
///
/// It sees the traces of the `tracing` crates on the thread that fetches.
pub async fn no_value_is_shown<F: Fixture>(mut fixture: F) {
    let labels = put_values(&mut fixture).await;
    let canaries = Canaries::new(fixture.credentials());
    let traces = Traces::record::<F::Provider>();
    let source = source_of(&fixture);
    let absent_store = built(&fixture, fixture.settings_of_no_store());
    let warnings = Warnings::default();
    let context = context_with(&warnings);
    let mut requests: Vec<_> = labels.iter().map(|label| request(&fixture, label)).collect();
    requests.push(request(&fixture, "absent"));
    let answers = watched(&canaries, crate::fetch_all(&*source, &context, &requests)).await;
    assert!(answers.first().is_some_and(Result::is_ok), "the canary itself cannot be fetched");
    look_at(&canaries, &answers);
    look_at(&canaries, &watched(&canaries, crate::fetch_all(&*absent_store, &context, &requests)).await);
    for source in [&source, &absent_store] {
        if let Err(error) = watched(&canaries, source.list(&context, &fixture.name("canary-"))).await {
            canaries.absent_from_error("an error of a listing", &error);
        }
    }
    for request in odd_requests(&fixture) {
        look_at(&canaries, &[watched(&canaries, ask(&*source, &context, &request)).await]);
    }
    canaries.absent_from_debug("a warning", &warnings.to_vec());
    canaries.absent_from_text("a trace", &traces.text());
}

/// Errors about damaged data do not quote the data, as many parsers do.
pub async fn damaged_data_is_not_shown<F: Fixture>(mut fixture: F) {
    let Some(settings) = fixture.settings_of_damaged_store(CANARY) else {
        panic!("the fixture has no store that is damaged, nor does it skip this rule");
    };
    let canaries = Canaries::new(fixture.credentials());
    let traces = Traces::record::<F::Provider>();
    let source = built(&fixture, settings);
    let warnings = Warnings::default();
    let context = context_with(&warnings);
    let requests = [request(&fixture, "damaged")];
    let answers = watched(&canaries, crate::fetch_all(&*source, &context, &requests)).await;
    look_at(&canaries, &answers);
    for answer in &answers {
        let error = failure("a store that is damaged", answer);
        assert_ne!(error.kind(), SourceErrorKind::NotFound, "of a store that is damaged");
    }
    if let Err(error) = watched(&canaries, source.list(&context, &fixture.name("damaged"))).await {
        canaries.absent_from_error("an error of a listing", &error);
    }
    canaries.absent_from_debug("a warning", &warnings.to_vec());
    canaries.absent_from_text("a trace", &traces.text());
}

/// Puts the canary into the store: alone, and in texts that parsers of JSON or text would refuse and quote. Returns the labels.
async fn put_values<F: Fixture>(fixture: &mut F) -> Vec<String> {
    let mut values =
        vec![CANARY.as_bytes().to_vec(), format!("{{\"key\": \"{CANARY}\" {CANARY}").into_bytes()];
    if F::skips().iter().all(|skip| skip.rule != "invalid_utf8_survives") {
        values.push([CANARY.as_bytes(), b"\xff"].concat());
    }
    let mut labels = Vec::new();
    for (number, value) in values.iter().enumerate() {
        let label = format!("canary-{number}");
        put(fixture, &label, value).await;
        labels.push(label);
    }
    labels
}

/// Returns requests that a source refuses or cannot answer.
fn odd_requests<F: Fixture>(fixture: &F) -> Vec<SecretRequest> {
    let versioned = request(fixture, "canary-0").with_version("no-such-version");
    fixture.bad_names().into_iter().map(SecretRequest::new).chain([versioned]).collect()
}

/// Fetches the requests that `check` accepts, as the engine does.
async fn ask(source: &dyn SecretSource, context: &RunContext, request: &SecretRequest) -> Answer {
    source.check(request)?;
    source.fetch(context, request).await
}

/// Awaits a future. If it panics, searches the message before the panic goes on.
async fn watched<T>(canaries: &Canaries, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|task| {
        let poll = || future.as_mut().poll(task);
        catch_unwind(AssertUnwindSafe(poll)).unwrap_or_else(|panic| {
            canaries.absent_from_text("a panic", words_of(&*panic));
            resume_unwind(panic)
        })
    })
    .await
}

fn words_of(panic: &(dyn Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or_default()
}

fn look_at(canaries: &Canaries, answers: &[Answer]) {
    for answer in answers {
        match answer {
            Ok(secret) => canaries.absent_from_debug("Debug of a secret", secret),
            Err(error) => canaries.absent_from_error("an error", error),
        }
    }
}
