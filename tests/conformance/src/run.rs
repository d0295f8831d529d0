//! Runs one rule, or announces that it is skipped.

use std::future::Future;
use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use crate::fixture::{Fixture, Skip};

/// The time limit of a rule, including its fixture.
const LIMIT: Duration = Duration::from_secs(120);

/// The time limit of a rule with many runs.
const LONG_LIMIT: Duration = Duration::from_secs(600);

/// Set in the process that runs one rule alone.
const ALONE: &str = "SECRETDIR_CONFORMANCE_ALONE";

macro_rules! names_of {
    (rules; $($rule:ident)*) => {
        /// The names of all rules.
        const RULES: &[&str] = &[$(stringify!($rule),)* "many_runs_leave_nothing_behind"];
    };
}
crate::__with_every_rule!(names_of, rules);

/// Runs a rule with a new fixture, unless the fixture skips it.
#[doc(hidden)]
pub fn run<F: Fixture, R: Future<Output = ()>>(rule: &str, check: impl FnOnce(F) -> R) {
    run_within(LIMIT, rule, check);
}

fn run_within<F: Fixture, R: Future<Output = ()>>(limit: Duration, rule: &str, check: impl FnOnce(F) -> R) {
    if let Some(skip) = F::skips().into_iter().find(|skip| skip.rule == rule) {
        return announce(skip);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    runtime.block_on(async {
        let all = async { check(F::start().await).await };
        if tokio::time::timeout(limit, all).await.is_err() {
            panic!("{rule}: did not end within {limit:?}");
        }
    });
}

/// Runs a rule alone in a new process, by starting the test of this name once more.
#[doc(hidden)]
pub fn run_alone<F: Fixture, R: Future<Output = ()>>(rule: &str, test: &str, check: impl FnOnce(F) -> R) {
    let is_skipped = F::skips().iter().any(|skip| skip.rule == rule);
    if is_skipped || std::env::var_os(ALONE).is_some() {
        return run_within(LONG_LIMIT, rule, check);
    }
    // The name of a test does not include its crate.
    let test = test.split_once("::").map_or(test, |(_, test)| test);
    let this = std::env::current_exe().unwrap_or_else(|error| panic!("where this test is: {error}"));
    let output = Command::new(this).args(["--exact", test, "--nocapture"]).env(ALONE, "1").output();
    let output = output.unwrap_or_else(|error| panic!("this test cannot be started once more: {error}"));
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("1 passed"), "{rule}, alone: {errors}");
}

/// Fails if a skip names no rule, names one twice, or gives no reason.
#[doc(hidden)]
pub fn check_skips<F: Fixture>() {
    let skips = F::skips();
    for Skip { rule, reason } in &skips {
        assert!(RULES.contains(rule), "there is no rule `{rule}` to skip");
        assert!(!reason.trim().is_empty(), "the skip of `{rule}` gives no reason");
        let times = skips.iter().filter(|other| other.rule == *rule).count();
        assert_eq!(times, 1, "`{rule}` is skipped more than once");
    }
}

/// Bypasses the test harness, which hides the output of passing tests.
fn announce(skip: Skip) {
    let line = format!("conformance: SKIPPED {}: {}\n", skip.rule, skip.reason);
    // A closed standard error is not the fault of the provider.
    drop(std::io::stderr().write_all(line.as_bytes()));
}
