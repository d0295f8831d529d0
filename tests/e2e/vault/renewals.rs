//! Renewals that come too late or fail: what `watch` does then, and how often it asks.

use std::time::{Duration, Instant};

use secretdir_testkit::Forwarder;
use serde_json::json;

use super::database::{Database, users_made};
use super::{bao, seen};
use crate::support::Site;
use crate::watch::{Watch, eventually};

/// A user that is good for twenty seconds, and is to be renewed after two.
fn user(mount: &'static str) -> (Site, Forwarder) {
    let database = Database::make(mount, "20s", "1h");
    let role = database.role(&json!({ "token_ttl": "1h" }));
    let forwarder = Forwarder::before(&bao().endpoint());
    let site = database.site(&role, &forwarder, "0s");
    let config = std::fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let config = config.replace("provider = \"vault\"", "provider = \"vault\"\nrenew-at = 0.1");
    // Next to no other turn, and one retry.
    site.config(&format!("[watch]\ninterval = \"1h\"\n\n{config}"));
    (site, forwarder)
}

fn is_due(site: &Site) -> bool {
    let status = site.run(&["status", "--json"]).expect_exit(0).json();
    let files = status["generation"]["files"].to_string();
    let due = files.split("\"renew_at\":").nth(1).unwrap_or_else(|| panic!("{status:#}"));
    let due: u64 = due.split([',', '}']).next().unwrap().parse().unwrap();
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() > due
}

#[test]
fn a_daemon_that_starts_after_the_moment_of_a_renewal_makes_it_at_once() {
    let (site, forwarder) = user("db-overdue");
    let begun = Instant::now();
    site.sync();
    eventually("due", || is_due(&site));
    let watch = Watch::start(&site);
    eventually("renewed", || seen(&forwarder, "leases/renew") == 1);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert_eq!(users_made(&forwarder), 1);
    watch.stop();
}

#[test]
fn a_renewal_that_fails_is_not_tried_each_second() {
    let (site, forwarder) = user("db-failing");
    let sealed = r#"{"errors":["Vault is sealed"]}"#;
    let sealed = format!("HTTP/1.1 503 Odd\r\ncontent-length: {}\r\n\r\n{sealed}", sealed.len());
    forwarder.answer("leases/renew", 1000, sealed);
    let mut watch = Watch::start(&site);
    watch.hear("published 2 files");
    let begun = Instant::now();
    watch.hear("is sealed");
    eventually("a while", || begun.elapsed() > Duration::from_secs(12));
    let tries = seen(&forwarder, "leases/renew");
    // The retries of the schedule come besides.
    assert!((2..=9).contains(&tries), "{tries}: {:#?}", forwarder.seen());
    watch.stop();
}
