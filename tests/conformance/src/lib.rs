#![doc = include_str!("../README.md")]
#![expect(clippy::panic, reason = "this library is made of tests: a rule that is broken panics")]

mod canary;
mod fixture;
pub mod rules;
mod run;
mod traces;

pub use fixture::{BadSettings, Fixture, Skip};
#[doc(hidden)]
pub use run::{check_skips, run};

/// Expands to one named `#[test]` for each of the [`rules`], and one that checks the skips of the fixture.
///
/// Takes the type of a [`Fixture`]. To test two fixtures in one file, put each call into a module of its own.
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
        fn every_skip_names_a_rule_and_a_reason() {
            $crate::check_skips::<$fixture>();
        }
    };
}

/// The one list of the rules: hands it to another macro.
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
            a_listing_is_complete_or_unsupported
            check_prefix_refuses_only_what_list_refuses
            sources_are_asked_side_by_side
            no_more_requests_are_in_flight_than_allowed
            a_dropped_fetch_does_no_harm
            throttling_is_reported_as_such
            a_store_that_hangs_is_a_time_out
            no_value_is_shown
        }
    };
}
