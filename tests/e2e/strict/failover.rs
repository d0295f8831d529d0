//! Regions: which one is asked, and when another one.

use secretdir_testkit::{Fault, REGION};

use super::{Cloud, errors, warnings};
use crate::support::Ran;

const OTHER: &str = "eu-central-1";
const THIRD: &str = "us-east-1";

fn with_failover(count: usize) -> Cloud {
    let cloud = Cloud::with_secrets(count);
    cloud.reconfigure("[files]", &format!("failover-region = [{OTHER:?}, {THIRD:?}]\n[files]"));
    cloud
}

#[test]
fn a_region_that_is_down_is_left_for_the_next_one_and_the_outcome_says_which() {
    let cloud = with_failover(200);
    // By its ARN a secret is asked for in the other region by the ARN that it has there.
    let arn = cloud.server.arn(REGION, "app/3");
    cloud.reconfigure("secret = \"app/3\" ", &format!("secret = {arn:?} "));
    cloud.server.set_fault(Fault::Reset(REGION));
    let ran = cloud.sync().expect_exit(0);
    assert!(matches!(warnings(&ran).as_slice(), [one] if one.contains("in eu-west-1: ")), "{ran:?}");
    cloud.assert_published(200);
    assert_eq!((cloud.server.calls_to(OTHER), cloud.server.calls_to(THIRD)), (10, 0));
    assert!(cloud.server.all_calls() <= 23, "{}", cloud.server.all_calls());
    let status = cloud.site.run(&["status", "--json"]).expect_exit(0).json();
    assert_eq!(status["generation"]["files"][0]["secrets"][0]["origin"], OTHER);
    let mut command = cloud.command(&["sync", "--json"]);
    let outcome = Ran::of(&mut command).expect_exit(0).json();
    let asked = serde_json::json!([{ "name": "prod", "secret_count": 200, "origins": [OTHER] }]);
    assert_eq!(outcome["sources"], asked);
}

#[test]
fn a_region_that_never_answers_leaves_time_for_the_next_one() {
    let cloud = with_failover(40);
    cloud.reconfigure("timeout = \"60s\"", "timeout = \"30s\"");
    cloud.server.set_fault(Fault::Hang(REGION));
    cloud.sync().expect_exit(0);
    cloud.assert_published(40);
}

#[test]
fn what_a_region_says_stands() {
    for fault in [Fault::None, Fault::Deny(vec!["GetSecretValue", "BatchGetSecretValue"])] {
        let cloud = with_failover(2);
        cloud.reconfigure("secret = \"app/1\" ", "secret = \"app/none\" ");
        cloud.server.set_fault(fault);
        let ran = cloud.sync().expect_exit(3);
        assert_eq!((cloud.server.calls_to(OTHER), cloud.server.calls_to(THIRD)), (0, 0), "{ran:?}");
    }
}

#[test]
fn where_no_region_answers_each_tells_why() {
    let cloud = with_failover(2);
    cloud.reconfigure("timeout = \"60s\"", "timeout = \"20s\"");
    cloud.reconfigure(&cloud.server.endpoint(), "http://127.0.0.1:9");
    let ran = cloud.sync().expect_exit(3);
    for region in [REGION, OTHER, THIRD] {
        let part = format!("Secrets Manager in {region}: Connection refused");
        assert!(errors(&ran).iter().all(|line| line.contains(&part)), "{part}: {ran:?}");
    }
}
