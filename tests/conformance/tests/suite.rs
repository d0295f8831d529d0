//! The suite lets a good provider pass, and notices each fault of a bad one.

mod memory;

use std::any::Any;
use std::panic::catch_unwind;
use std::process::Command;

use memory::{Fault, Memory};
use secretdir_conformance::{conformance_tests, rules, run, run_alone};

conformance_tests!(Memory<{ Fault::NONE }>);

mod a_store_that_cannot_list {
    use super::{Fault, Memory, conformance_tests};

    conformance_tests!(Memory<{ Fault::CANNOT_LIST }>);
}

mod a_rule_that_is_skipped {
    use super::{Fault, Memory, conformance_tests};

    conformance_tests!(Memory<{ Fault::SKIPPED_EMPTY_IS_ABSENT }>);
}

/// Runs a rule against a provider with a fault. Returns what the rule panics with.
macro_rules! complaint {
    ($fault:ident, $rule:ident) => {
        catch_unwind(|| run(stringify!($rule), rules::$rule::<Memory<{ Fault::$fault }>>))
            .map_or_else(words_of, |()| "nothing".to_owned())
    };
}

fn words_of(panic: Box<dyn Any + Send>) -> String {
    let literal = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    literal.or_else(|| panic.downcast_ref().cloned()).unwrap_or_default()
}

/// Makes a test for each pair of a fault and a rule that must complain about it in these words.
macro_rules! noticed {
    ($($fault:ident by $rule:ident: $words:literal)*) => {
        #[test]
        fn each_fault_is_noticed() {
            $(
                let complaint = complaint!($fault, $rule);
                assert!(
                    complaint.contains($words),
                    "{} complains of {}: {complaint}", stringify!($rule), stringify!($fault),
                );
            )*
        }
    };
}

noticed! {
    NAME by the_name_is_kebab_case: "is not kebab-case"
    NOT_OFFLINE by a_source_is_built_offline: "cannot be built without a store and a runtime"
    PREFIX_NOT_OFFLINE by a_source_is_built_offline: "cannot be built without a store and a runtime"
    UNKNOWN_ACCEPTED by an_unknown_setting_is_named: "is not noticed"
    WRONG_PATH by a_setting_of_the_wrong_type_is_named: "but reported at"
    SETTING_QUOTED by a_setting_of_the_wrong_type_is_named: "shows a value"
    UNKNOWN_ACCEPTED by a_bad_setting_is_named: "is not noticed"
    STRICT_NAMES by check_accepts_good_names: "is a valid name, but refused"
    ANY_NAME by check_refuses_bad_names: "is an invalid name, but accepted"
    ANY_VERSION by a_version_is_accepted_or_unsupported: "but one is accepted"
    EMPTY_IS_ABSENT by an_empty_value_survives: "not answered"
    TRIMMED by nothing_is_trimmed: "6 of them, but 5 came back"
    ENDS_AT_NUL by all_256_byte_values_survive: "256 of them, but 0 came back"
    LOSSY by invalid_utf8_survives: "not the bytes that were stored"
    LOSSY by all_byte_values_but_nul_survive: "not the bytes that were stored"
    SHORT by kib_64_survive: "65536 of them, but 65535 came back"
    SHORT by one_byte_survives: "1 of them, but 0 came back"
    ABSENT_IS_OTHER by an_absent_secret_is_not_found: "of an absent secret"
    NO_CAUSE by an_absent_secret_is_not_found: "gives no cause"
    NO_STORE_IS_EMPTY by an_absent_store_is_an_error: "answered with a secret"
    NO_STORE_IS_NOT_FOUND by an_absent_store_is_an_error: "an answer of a store that is not there: not found"
    NO_LISTING_IS_NOT_FOUND by an_absent_store_is_an_error: "a listing of a store that is not there: not found"
    OUT_OF_ORDER by every_request_has_its_answer_in_order: "not the bytes that were stored"
    ALL_OR_NOTHING by a_failure_leaves_the_others_intact: "no answer to"
    MIXES_UP by every_request_has_its_answer_in_order: "a position that no request has"
    ONCE by a_source_can_be_asked_again: "not answered"
    CACHES by a_later_run_sees_what_has_changed: "6 of them, but 5 came back"
    NO_HOOKS by a_store_that_appears_later_is_found: "nor does it skip this rule"
    REMEMBERS_ABSENCE by a_store_that_appears_later_is_found: "a store that is there now: not answered"
    NO_HOOKS by what_arrived_before_the_deadline_counts: "nor does it skip this rule"
    ANSWERS_AT_THE_END by what_arrived_before_the_deadline_counts: "the answer that had arrived is lost"
    LISTS_ALL by a_listing_is_complete_or_unsupported: "of a listing"
    LISTS_A_PAGE by a_listing_is_complete_or_unsupported: "of a listing"
    LISTS_TWICE by a_listing_is_complete_or_unsupported: "of a listing"
    LISTING_IS_OTHER by a_listing_is_complete_or_unsupported: "of a listing: failed: cannot list"
    NOTHING_TO_LIST_IS_AN_ERROR by a_listing_is_complete_or_unsupported: "that no secret has: not found"
    LISTS_NO_STORE by an_absent_store_is_an_error: "is listed"
    REFUSES_WHAT_IT_LISTS by check_prefix_refuses_only_what_list_refuses: "is refused, but listed"
    REFUSED_IS_OTHER by check_prefix_refuses_only_what_list_refuses: "is refused: failed: no such prefix"
    REFUSES_TWO_WAYS by check_prefix_refuses_only_what_list_refuses: "of the listing below"
    SHOWN_BY_LISTING by no_value_is_shown: "an error of a listing shows a value"
    STUCK_WHEN_DROPPED by a_dropped_fetch_does_no_harm: "not answered"
    STUCK_WHEN_DROPPED_LATE by a_dropped_fetch_does_no_harm: "dropped at await 15"
    SHARED_STATE by sources_are_asked_side_by_side: "not answered"
    NO_HOOKS by no_more_requests_are_in_flight_than_allowed: "nor does it skip this rule"
    FLOODS by no_more_requests_are_in_flight_than_allowed: "12 requests were in flight at once"
    NEVER_ASKS by no_more_requests_are_in_flight_than_allowed: "has seen no request"
    NO_HOOKS by throttling_is_reported_as_such: "nor does it skip this rule"
    THROTTLED_IS_OTHER by throttling_is_reported_as_such: "of a store that throttles: unavailable: too much"
    NO_HOOKS by a_store_that_hangs_is_a_time_out: "nor does it skip this rule"
    HANG_IS_OTHER by a_store_that_hangs_is_a_time_out: "of a store that hangs: unavailable: hangs"
    BLOCKS by a_store_that_hangs_is_a_time_out: "the thread was blocked"
    ALL_ARE_MADE by only_what_makes_something_says_so: "`issues` is true for a stored secret"
    NOTHING_IS_MADE by only_what_makes_something_says_so: "`issues` is false for a request that creates something"
    STORED_IS_LEASED by only_what_makes_something_says_so: "has a lease"
    ENDED_BEFORE by what_is_good_for_a_time_is_good_now: "a secret is over already"
    RENEWED_TOO_LATE by what_is_good_for_a_time_is_good_now: "renewed after its end"
    KEEPS_ANOTHER by what_is_held_is_kept_or_replaced: "has another lease"
    KEEPS_WHAT_ENDED by what_is_held_is_kept_or_replaced: "what is kept is over already"
    REPLACES_BY_THE_SAME by what_is_held_is_kept_or_replaced: "has the old lease"
    RELEASES_ONCE by what_is_held_is_kept_or_replaced: "cannot be released the second time"
    CLOSED_FOR_GOOD by a_source_that_was_closed_begins_anew: "after it was closed: not answered"
    SHOWN_BY_ERROR by no_value_is_shown: "an error shows a value"
    SHOWN_BY_WARNING by no_value_is_shown: "a warning shows a value"
    SHOWN_BY_TRACE by no_value_is_shown: "a trace shows a value"
    SHOWN_BY_FOREIGN_ERROR by no_value_is_shown: "a trace shows a value"
    SHOWN_BY_PANIC by no_value_is_shown: "a panic shows a value"
    NO_HOOKS by damaged_data_is_not_shown: "nor does it skip this rule"
    SHOWN_IF_DAMAGED by damaged_data_is_not_shown: "an error shows a value"
    DAMAGED_IS_ABSENT by damaged_data_is_not_shown: "of a store that is damaged"
    NO_HOOKS by a_relative_path_counts_from_the_configuration: "nor does it skip this rule"
    PATH_FROM_ELSEWHERE by a_relative_path_counts_from_the_configuration: "from another folder"
    PATH_FROM_NOWHERE by a_relative_path_counts_from_the_configuration: "although the configuration has no folder"
}

/// Each with a test of its own, which is started once more in a process of its own.
macro_rules! noticed_alone {
    ($($test:ident: $fault:ident, $words:literal)*) => {
        $(
            #[test]
            fn $test() {
                let check = rules::many_runs_leave_nothing_behind::<Memory<{ Fault::$fault }>>;
                let test = concat!(module_path!(), "::", stringify!($test));
                if std::env::var_os("SECRETDIR_CONFORMANCE_ALONE").is_some() {
                    return run_alone("many_runs_leave_nothing_behind", test, check);
                }
                let complaint = catch_unwind(|| run_alone("many_runs_leave_nothing_behind", test, check));
                let complaint = complaint.map_or_else(words_of, |()| "nothing".to_owned());
                assert!(complaint.contains($words), "{complaint}");
            }
        )*
    };
}

noticed_alone! {
    a_source_that_keeps_values_is_noticed: KEEPS_VALUES, "800 runs have leaked"
    a_source_that_keeps_descriptors_is_noticed: KEEPS_DESCRIPTORS, "800 runs have leaked 800 descriptors"
}

#[test]
fn a_skip_of_no_rule_fails() {
    let check = secretdir_conformance::check_skips::<Memory<{ Fault::SKIPS_NO_RULE }>>;
    let words = catch_unwind(check).map_or_else(words_of, |()| "nothing".to_owned());
    assert_eq!(words, "there is no rule `no_such_rule` to skip");
}

#[test]
fn a_skip_is_announced_although_the_harness_hides_what_a_passing_test_prints() {
    let this = std::env::current_exe().unwrap();
    let one = ["--exact", "a_rule_that_is_skipped::an_empty_value_survives"];
    let output = Command::new(this).args(one).output().unwrap();
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success());
    assert_eq!(
        shown,
        "conformance: SKIPPED an_empty_value_survives: this store cannot hold an empty value\n"
    );
}
