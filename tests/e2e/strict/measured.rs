//! What a run costs: calls, connections, time, memory.

use std::fs;
use std::process::Command;
use std::time::Duration;

use secretdir_testkit::Ran;

use super::Cloud;

#[test]
fn two_hundred_secrets_take_ten_calls_at_once_and_no_more_connections_than_that() {
    let cloud = Cloud::with_secrets(200);
    // Whatever the latency is, it passes once.
    cloud.server.set_company(10);
    cloud.sync().expect_exit(0);
    let (calls, connections) = (cloud.server.all_calls(), cloud.server.connections());
    assert_eq!((calls, cloud.server.most_at_once()), (10, 10));
    assert!(connections <= cloud.server.most_at_once(), "{connections} of {}", cloud.server.most_at_once());
}

#[test]
fn two_thousand_secrets_take_a_hundred_calls_over_few_connections_and_little_memory() {
    let few = Cloud::with_secrets(1);
    let (_, start) = peak(&few);
    let cloud = Cloud::with_secrets(2000);
    cloud.server.set_latency(Duration::from_millis(5));
    let (ran, peak) = peak(&cloud);
    ran.expect_exit(0);
    assert_eq!(cloud.server.all_calls(), 100);
    assert!(cloud.server.connections() <= 16, "{} connections", cloud.server.connections());
    assert!(cloud.server.most_at_once() <= 16);
    assert!(peak < start + 40 * 1024, "{peak} KiB, where a run with one secret takes {start}");
}

/// Runs `sync`, and returns the most memory that it had, in KiB.
fn peak(cloud: &Cloud) -> (Ran, u64) {
    let report = cloud.site.path().join("memory");
    let sync = cloud.command(&["sync"]);
    let mut command = Command::new("/usr/bin/time");
    command.args(["-f", "%M", "-o"]).arg(&report).arg(sync.get_program()).args(sync.get_args());
    command.env_clear().current_dir(cloud.site.path());
    command.envs(sync.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = Ran::of(&mut command);
    (ran, fs::read_to_string(report).unwrap().trim().parse().unwrap())
}
