//! The rules. Each is a separate test, and panics if the provider breaks it.

mod answers;
mod bytes;
mod faults;
mod flight;
mod listing;
mod making;
mod names;
mod runs;
mod secrecy;
mod settings;

use std::num::NonZeroUsize;
use std::time::Duration;

use secretdir_provider::{
    Answer, Provider as _, RunContext, SecretRequest, SecretSource, Settings, SettingsError, SourceError,
    Table, Warnings,
};

pub use answers::{
    a_failure_leaves_the_others_intact, a_source_can_be_asked_again, an_absent_secret_is_not_found,
    an_absent_store_is_an_error, every_request_has_its_answer_in_order,
};
pub use bytes::{
    all_256_byte_values_survive, all_byte_values_but_nul_survive, an_empty_value_survives,
    invalid_utf8_survives, kib_64_survive, nothing_is_trimmed, one_byte_survives,
};
pub use faults::{a_store_that_hangs_is_a_time_out, throttling_is_reported_as_such};
pub use flight::{
    a_dropped_fetch_does_no_harm, no_more_requests_are_in_flight_than_allowed, sources_are_asked_side_by_side,
};
pub use listing::{a_listing_is_complete_or_unsupported, check_prefix_refuses_only_what_list_refuses};
pub use making::{
    a_source_that_was_closed_begins_anew, only_what_makes_something_says_so,
    what_is_good_for_a_time_is_good_now, what_is_held_is_kept_or_replaced,
};
pub use names::{a_version_is_accepted_or_unsupported, check_accepts_good_names, check_refuses_bad_names};
pub use runs::{
    a_later_run_sees_what_has_changed, a_store_that_appears_later_is_found, many_runs_leave_nothing_behind,
    what_arrived_before_the_deadline_counts,
};
pub use secrecy::{damaged_data_is_not_shown, no_value_is_shown};
pub use settings::{
    a_bad_setting_is_named, a_relative_path_counts_from_the_configuration,
    a_setting_of_the_wrong_type_is_named, a_source_is_built_offline, an_unknown_setting_is_named,
    the_name_is_kebab_case,
};

use crate::fixture::Fixture;

/// A source, or the errors of its settings.
type Built = Result<Box<dyn SecretSource>, SettingsError>;

/// Builds a source from settings.
fn build<F: Fixture>(fixture: &F, table: Table) -> Built {
    fixture.provider().source(Settings::new(table, fixture.base_dir()))
}

/// Builds a source from valid settings.
fn built<F: Fixture>(fixture: &F, table: Table) -> Box<dyn SecretSource> {
    build(fixture, table).unwrap_or_else(|error| panic!("valid settings are refused: {error}"))
}

/// Builds the source that reads the fixture's store.
fn source_of<F: Fixture>(fixture: &F) -> Box<dyn SecretSource> {
    built(fixture, fixture.settings())
}

/// Returns a request for the secret with this label.
fn request<F: Fixture>(fixture: &F, label: &str) -> SecretRequest {
    SecretRequest::new(fixture.name(label))
}

/// Puts a secret with this label into the store.
async fn put<F: Fixture>(fixture: &mut F, label: &str, value: &[u8]) {
    let name = fixture.name(label);
    fixture.put(&name, value).await;
}

/// Returns requests for the secrets with these labels.
fn requests<F: Fixture>(fixture: &F, labels: &[&str]) -> Vec<SecretRequest> {
    labels.iter().map(|label| request(fixture, label)).collect()
}

/// Makes the context of a run that has enough time.
fn context(concurrency: usize) -> RunContext {
    context_within(Duration::from_secs(60), concurrency)
}

/// Makes the context of a run with this list of warnings.
fn context_with(warnings: &Warnings) -> RunContext {
    RunContext::builder().timeout(Duration::from_secs(60)).warnings(warnings.clone()).build()
}

/// The deadlines of runs with a store that hangs or throttles. A busy machine may be too slow for the first, so each next one is
/// longer.
const DEADLINES: [Duration; 3] = [Duration::from_secs(3), Duration::from_secs(12), Duration::from_secs(48)];

/// Makes the context of a run with this timeout.
fn context_within(time: Duration, concurrency: usize) -> RunContext {
    let concurrency = NonZeroUsize::new(concurrency).unwrap_or(NonZeroUsize::MIN);
    RunContext::builder().timeout(time).concurrency(concurrency).build()
}

/// Fails unless the answer has this value. The message does not quote the value that came instead.
fn assert_value(what: &str, answer: &Answer, value: &[u8]) {
    let secret = match answer {
        Ok(secret) => secret.expose_secret(),
        Err(error) => panic!("{what}: not answered: {}", story(error)),
    };
    assert!(
        secret == value,
        "{what}: not the bytes that were stored: {} of them, but {} came back",
        value.len(),
        secret.len(),
    );
}

/// Returns the error of an answer.
fn failure<'a>(what: &str, answer: &'a Answer) -> &'a SourceError {
    match answer {
        Ok(_) => panic!("{what}: answered with a secret, and not with an error"),
        Err(error) => error,
    }
}

/// Returns the text of an error with its causes.
fn story(error: &SourceError) -> String {
    crate::canary::chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
