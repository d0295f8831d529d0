//! What the kernel says of the daemon.

use std::fs;

use super::readers::READERS;
use crate::support::Site;

/// How many KiB more there may be at the end.
const SLACK: u64 = 1024;

/// How much the daemon has at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// Memory of its own, in KiB. Pages of the program itself come and go as the kernel likes.
    memory: u64,
    descriptors: u64,
    threads: u64,
    /// Generations beside the link, finished or not.
    generations: u64,
}

impl Sample {
    pub(super) fn of(process: u32, site: &Site) -> Self {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        let names = |folder: &str| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let beside = names(site.path().join("out").to_str().unwrap());
        let is_generation = |name: &std::ffi::OsString| name.to_string_lossy().starts_with(".app.gen-");
        Self {
            memory: number("RssAnon:"),
            threads: number("Threads:"),
            descriptors: names(&format!("/proc/{process}/fd")).count() as u64,
            generations: beside.filter(is_generation).count() as u64,
        }
    }
}

/// Asserts that the end is like the beginning, of which the first part is left out: what is made once is made then.
///
/// A turn may be under way at any sample. So memory is compared where it is at its most, which is the same in each turn; descriptors and
/// threads where they are at their least: what leaks is there at all times.
pub(super) fn assert_steady(samples: &[Sample]) {
    let quarter = samples.len() / 4;
    let (first, last) = (&samples[quarter / 3..quarter], &samples[3 * quarter..]);
    let most = |samples: &[Sample], of: fn(&Sample) -> u64| samples.iter().map(of).max().unwrap();
    let least = |samples: &[Sample], of: fn(&Sample) -> u64| samples.iter().map(of).min().unwrap();
    let (before, after) = (most(first, |sample| sample.memory), most(last, |sample| sample.memory));
    assert!(after <= before + SLACK, "{before} KiB of memory became {after}");
    for of in [|sample: &Sample| sample.descriptors, |sample: &Sample| sample.threads] {
        let (before, after) = (least(first, of), least(last, of));
        assert!(after <= before + 1, "{before} descriptors or threads became {after}");
    }
    // The current one, the one that is made, the one that it replaces, and what the readers pin.
    let generations = most(samples, |sample| sample.generations);
    assert!(generations <= 3 + READERS as u64, "{generations} generations");
}
