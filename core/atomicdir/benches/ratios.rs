//! How many times as long as the bare calls atomicdir takes: a table in Markdown, of medians.
//!
//! The two take turns, and take turns in going first, so that what else the machine does falls on both. A text on the
//! command line chooses the cases that have it in their name: `cargo bench -p atomicdir --bench ratios -- disk`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and fails by panicking")]

mod support;

use std::time::{Duration, Instant};

use atomicdir::Durability;

use crate::support::{Case, Contest, Ground, Medium, Who, Work, conditions};

/// How long to go on with a case, and for how many rounds at least and at most.
const BUDGET: Duration = Duration::from_millis(2000);
const FEWEST: usize = 5;
const MOST: usize = 201;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    // Cargo says so when it is to measure, and not just to try.
    let measure = arguments.iter().any(|argument| argument == "--bench");
    print_head();
    for ground in Medium::ALL.map(Ground::new) {
        let cases = Case::all(ground.medium);
        for case in cases.filter(|case| wanted.is_none_or(|part| case.to_string().contains(part.as_str()))) {
            print_row(&ground, case, measure);
        }
    }
}

fn print_head() {
    println!("\n{}\n", conditions());
    println!("| case | atomicdir | bare calls | ratio | at most | rounds |");
    println!("|---|---:|---:|---:|---:|---:|");
}

fn print_row(ground: &Ground, case: Case, measure: bool) {
    let [atomicdir, bare] = measured(ground, case, measure);
    let rounds = bare.len();
    let (atomicdir, bare) = (median(atomicdir), median(bare));
    let ratio = atomicdir.as_secs_f64() / bare.as_secs_f64();
    let bound = bound(case).map_or("–".to_owned(), |bound| {
        format!("{bound:.2}{}", if ratio > bound { " (missed)" } else { "" })
    });
    println!("| {case} | {atomicdir:.2?} | {bare:.2?} | {ratio:.2} | {bound} | {rounds} |");
}

/// Returns how many times as long as the bare calls atomicdir may take, where that is promised.
fn bound(Case { work, files, medium }: Case) -> Option<f64> {
    match (work, medium) {
        (Work::Publish(_), Medium::Tmpfs) if files == 100 => Some(1.3),
        (Work::Publish(Durability::Filesystem), Medium::Disk) => Some(1.2),
        (Work::Retire, _) => Some(1.2),
        _ => None,
    }
}

/// Does a case in turns, and returns how long each took.
fn measured(ground: &Ground, case: Case, measure: bool) -> [Vec<Duration>; 2] {
    let contestants = [Who::AtomicDir, Who::BareCalls].map(|who| Contest::new(ground, case, who));
    let mut took = [Vec::new(), Vec::new()];
    let start = Instant::now();
    for round in 0..if measure { MOST } else { 1 } {
        if round >= FEWEST && start.elapsed() >= BUDGET {
            break;
        }
        let mut turns: Vec<_> = contestants.iter().zip(&mut took).collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for (contestant, took) in turns {
            took.push(contestant.once());
        }
    }
    took
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort();
    took.get(took.len() / 2).copied().unwrap_or_default()
}
