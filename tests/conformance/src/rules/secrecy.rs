//! What may be shown.

use secretdir_provider::{FetchContext, SecretRequest, SecretSource};

use super::{Answer, built, context, put, request, source_of};
use crate::canary::{CANARY, Canaries};
use crate::fixture::Fixture;

/// Neither a value nor a credential is shown: by `Debug` of the source and of the secret, by an error or a cause of it,
/// by a hint, or by a warning.
pub async fn no_value_is_shown<F: Fixture>(mut fixture: F) {
    put(&mut fixture, "canary", CANARY.as_bytes()).await;
    let canaries = Canaries::new(fixture.credentials());
    let source = source_of(&fixture);
    let absent_store = built(&fixture, fixture.settings_of_no_store());
    canaries.absent_from_debug("Debug of a new source", &source);
    canaries.absent_from_debug("Debug of a new source", &absent_store);

    let context = context(2);
    let requests = ["canary", "absent"].map(|label| request(&fixture, label));
    let answers = source.fetch_all(&context, &requests).await;
    assert!(answers.first().is_some_and(Result::is_ok), "the canary itself cannot be fetched");
    look_at(&canaries, &answers);
    look_at(&canaries, &absent_store.fetch_all(&context, &requests).await);
    for request in odd_requests(&fixture) {
        look_at(&canaries, &[ask(&*source, &context, &request).await]);
    }
    canaries.absent_from_debug("Debug of a source that was asked", &source);
    canaries.absent_from_debug("a warning", &context.warnings());
}

/// Makes requests that a source refuses, or cannot answer.
fn odd_requests<F: Fixture>(fixture: &F) -> Vec<SecretRequest> {
    let versioned = request(fixture, "canary").with_version("no-such-version");
    fixture.bad_names().into_iter().map(SecretRequest::new).chain([versioned]).collect()
}

/// Fetches what `check` accepts, as the engine does.
async fn ask(source: &dyn SecretSource, context: &FetchContext, request: &SecretRequest) -> Answer {
    source.check(request)?;
    source.fetch(context, request).await
}

fn look_at(canaries: &Canaries, answers: &[Answer]) {
    for answer in answers {
        match answer {
            Ok(secret) => canaries.absent_from_debug("Debug of a secret", secret),
            Err(error) => canaries.absent_from_error("an error", error),
        }
    }
}
