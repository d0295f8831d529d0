#![doc = include_str!("../README.md")]
#![expect(clippy::panic, reason = "this library is made of tests: a rule that is broken panics")]

mod canary;
mod fixture;
pub mod rules;
mod run;
mod traces;

use secretdir_provider::{Answer, Answers, Listed, RunContext, SecretRequest, SecretSource, SourceError};

pub use fixture::{BadSettings, Fixture, Skip};
#[doc(hidden)]
pub use run::{check_skips, run, run_alone};

/// Fetches several secrets, and returns the answers in the order of the requests. Panics if a request has no answer.
pub async fn fetch_all(
    source: &dyn SecretSource,
    run: &RunContext,
    requests: &[SecretRequest],
) -> Vec<Answer> {
    let answers = Answers::new(requests.len());
    source.fetch_all(run, requests, &answers).await;
    assert!(!answers.is_mixed_up(), "an answer was put at a position that no request has");
    let answers = answers.into_vec().into_iter().zip(requests);
    answers.map(|(answer, request)| answer.unwrap_or_else(|| panic!("no answer to {request:?}"))).collect()
}

/// Lists the names of the secrets below a prefix.
///
/// # Errors
///
/// The error of the source.
pub async fn list(
    source: &dyn SecretSource,
    run: &RunContext,
    prefix: &str,
) -> Result<Vec<String>, SourceError> {
    Ok(source.list(run, prefix).await?.into_iter().map(Listed::into_name).collect())
}

/// Expands to a named `#[test]` for each of the [`rules`], and to one that checks the skips of the fixture.
///
/// Takes the type of a [`Fixture`]. To test two fixtures in one file, put each call into its own module.
#[macro_export]
macro_rules! conformance_tests {
    ($fixture:ty) => {
        $crate::__with_every_rule!($crate::__tests_of, $fixture);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tests_of {
    ($fixture:ty; $($rule:ident)*) => {
        $(
            #[test]
            fn $rule() {
                $crate::run(stringify!($rule), $crate::rules::$rule::<$fixture>);
            }
        )*

        #[test]
        fn many_runs_leave_nothing_behind() {
            let test = concat!(module_path!(), "::many_runs_leave_nothing_behind");
            let check = $crate::rules::many_runs_leave_nothing_behind::<$fixture>;
            $crate::run_alone("many_runs_leave_nothing_behind", test, check);
        }

        #[test]
        fn every_skip_names_a_rule_and_a_reason() {
            $crate::check_skips::<$fixture>();
        }
    };
}

/// The only list of the rules. It passes the list to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __with_every_rule {
    ($then:path, $($argument:tt)*) => {
        $then! {
            $($argument)*;
            the_name_is_kebab_case
            a_source_is_built_offline
            an_unknown_setting_is_named
            a_setting_of_the_wrong_type_is_named
            a_bad_setting_is_named
            a_relative_path_counts_from_the_configuration
            check_accepts_good_names
            check_refuses_bad_names
            a_version_is_accepted_or_unsupported
            an_empty_value_survives
            one_byte_survives
            kib_64_survive
            all_256_byte_values_survive
            all_byte_values_but_nul_survive
            invalid_utf8_survives
            nothing_is_trimmed
            an_absent_secret_is_not_found
            an_absent_store_is_an_error
            every_request_has_its_answer_in_order
            a_failure_leaves_the_others_intact
            a_source_can_be_asked_again
            a_later_run_sees_what_has_changed
            a_store_that_appears_later_is_found
            what_arrived_before_the_deadline_counts
            a_listing_is_complete_or_unsupported
            check_prefix_refuses_only_what_list_refuses
            sources_are_asked_side_by_side
            no_more_requests_are_in_flight_than_allowed
            a_dropped_fetch_does_no_harm
            throttling_is_reported_as_such
            a_store_that_hangs_is_a_time_out
            only_what_makes_something_says_so
            what_is_good_for_a_time_is_good_now
            what_is_held_is_kept_or_replaced
            a_source_that_was_closed_begins_anew
            no_value_is_shown
            damaged_data_is_not_shown
        }
    };
}
