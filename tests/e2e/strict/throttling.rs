//! A store that asks for fewer requests.

use std::time::{Duration, Instant};

use secretdir_testkit::{Fault, PATIENCE};

use super::{Cloud, errors};

#[test]
fn with_every_other_call_throttled_a_run_succeeds() {
    let cloud = Cloud::with_secrets(200);
    cloud.server.set_fault(Fault::ThrottleEveryOther);
    cloud.reconfigure("timeout = \"60s\"", "timeout = \"30s\"");
    cloud.sync().expect_exit(0);
    cloud.assert_published(200);
    // Ten are answered, and as many throttled before each.
    assert!((19..=21).contains(&cloud.server.all_calls()), "{}", cloud.server.all_calls());
}

#[test]
fn with_every_call_throttled_a_run_ends_at_its_deadline_and_changes_nothing() {
    let cloud = Cloud::with_secrets(200);
    cloud.sync().expect_exit(0);
    let before = cloud.site.fingerprint();
    cloud.server.set_fault(Fault::Throttle);
    cloud.reconfigure("timeout = \"60s\"", "timeout = \"8s\"");
    cloud.server.reset_counts();
    let start = Instant::now();
    let ran = cloud.sync().expect_exit(3);
    let taken = start.elapsed();
    assert!((Duration::from_secs(5)..PATIENCE).contains(&taken), "{taken:?}");
    // Each call has twenty secrets, and an answer of its own.
    assert_eq!(errors(&ran).len(), 10);
    let words = " of source `prod`: throttled: ThrottlingException: ";
    assert!(errors(&ran).iter().all(|line| line.contains(words)), "{ran:?}");
    assert!((11..=23).contains(&cloud.server.all_calls()), "{} calls", cloud.server.all_calls());
    assert_eq!(cloud.site.fingerprint().without_folder(), before.without_folder());
}

#[test]
fn a_store_that_says_when_to_come_back_is_asked_no_earlier() {
    for seconds in [2, 7] {
        let cloud = Cloud::with_secrets(1);
        cloud.server.set_fault(Fault::ThrottleOne { call: 1, seconds });
        let start = Instant::now();
        cloud.sync().expect_exit(0);
        let (taken, seconds) = (start.elapsed(), u64::from(seconds));
        assert!(taken >= Duration::from_secs(seconds), "{seconds}: {taken:?}");
        assert_eq!(cloud.server.all_calls(), 2);
    }
}
