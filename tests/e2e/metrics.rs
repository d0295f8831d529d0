//! Metrics as Prometheus text: what they count, who may read them, and what they never touch.

mod restart;
mod tools;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::Site;
use crate::watch::{Watch, eventually, site};

pub(crate) fn sample(text: &str, name: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with(name) && line.contains("} "));
    let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[test]
fn metrics_are_there_from_the_start_and_count() {
    let site = site("1h", "wake = false");
    let file = site.path().join("m.prom");
    let read = || fs::read_to_string(&file).unwrap_or_default();
    let mut command = site.command(&["watch", "--metrics"]);
    let mut watch = Watch::of(command.arg(&file));
    watch.hear("published 1 file");
    eventually("metrics", || read().contains("result=\"published\"} 1"));
    let text = read();
    assert_eq!(sample(&text, "secretdir_consecutive_failures"), 0.0);
    assert!(sample(&text, "secretdir_last_success_timestamp_seconds") > 1e9);
    assert!(text.contains("secretdir_source_errors_total{link=") && text.contains("kind=\"throttled\"} 0\n"));
    fs::rename(site.path().join("source"), site.path().join("gone")).unwrap();
    watch.signal(Signal::USR1);
    eventually("failure", || read().contains("kind=\"unavailable\"} 1"));
    assert_eq!(sample(&read(), "secretdir_consecutive_failures"), 1.0);
    watch.stop();
    fs::rename(site.path().join("gone"), site.path().join("source")).unwrap();
    site.run(&["sync", "--metrics", "m.prom"]).expect_exit(0);
    assert!(read().contains("result=\"unchanged\"} 1"), "{}", read());
    fs::remove_file(site.path().join("source/a")).unwrap();
    site.run(&["sync", "--metrics", "m.prom"]).expect_exit(3);
    assert!(read().contains("kind=\"not-found\"} 1"), "{}", read());
    site.secret("a", "1");
    let ran = site.run(&["sync", "--metrics", "none/m.prom"]).expect_exit(0);
    assert!(ran.stderr.contains("warning: cannot write the metrics to \"none/m.prom\""), "{ran:?}");
}

#[test]
fn what_the_daemon_writes_below_a_root_causes_no_turn() {
    let site = Site::new();
    site.secret("a", "1");
    let (directory, on_change) = ("path = \"source/out/app\"", "stamp = \"app.changed\"");
    site.config(&format!(
        "[directory]\n{directory}\n[on-change]\n{on_change}\n[watch]\ninterval = \"1h\"\ndebounce = \"100ms\"\n\
         [sources.local]\nprovider = \"file\"\nroot = \"source\"\n[files]\na = {{ source = \"local\", secret = \"a\" }}\n"
    ));
    let file = site.path().join("source/m.prom");
    let mut watch = Watch::of(site.command(&["watch", "--metrics"]).arg(&file));
    watch.hear("published 1 file");
    site.secret("a", "2");
    watch.hear("published 1 file");
    let turns = || {
        let text = fs::read_to_string(&file).unwrap_or_default();
        ["published", "unchanged"]
            .map(|result| {
                sample(&text, &format!("secretdir_runs_total{{link=\"{}\",result=\"{result}\"", link(&text)))
            })
            .iter()
            .sum::<f64>()
    };
    eventually("the second turn", || turns() >= 2.0);
    // A write in place may be heard in two parts. Each turn that causes the next one would come within a tenth of a second.
    let end = Instant::now() + Duration::from_secs(2);
    while Instant::now() < end {
        assert!(turns() <= 4.0, "{} turns", turns());
        thread::sleep(Duration::from_millis(50));
    }
    watch.stop();
}

/// Returns the link that the samples are about.
fn link(metrics: &str) -> String {
    let (_, rest) = metrics.split_once("secretdir_runs_total{link=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn metrics_lead_nowhere_wait_for_nobody_and_replace_only_files() {
    let site = site("1h", "wake = false");
    let at = |name: &str| site.path().join(name);
    fs::write(at("victim"), "kept").unwrap();
    std::os::unix::fs::symlink(at("victim"), at(".m.prom.tmp")).unwrap();
    site.run(&["sync", "--metrics", "m.prom"]).expect_exit(0);
    assert!(fs::symlink_metadata(at("m.prom")).unwrap().is_file());
    std::os::unix::fs::symlink(at("victim"), at("link.prom")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, at("fifo.prom"), rustix::fs::Mode::RWXU).unwrap();
    for name in ["link.prom", "fifo.prom"] {
        let ran = site.run(&["sync", "--metrics", name]).expect_exit(0);
        let words = format!(
            "warning: cannot write the metrics to \"{name}\": the existing file is not a regular file"
        );
        assert!(ran.stderr.contains(&words), "{ran:?}");
        assert!(!fs::symlink_metadata(at(name)).unwrap().is_file());
    }
    assert_eq!(fs::read_to_string(at("victim")).unwrap(), "kept");
}
