//! What a publish and a removal cost, by criterion: `cargo bench -p atomicdir --bench protocol -- publish/tmpfs`.
//!
//! Criterion measures one contestant after the other; for how they compare, see `ratios`. With `--test` each is run once,
//! so that strace can say which calls it makes:
//!
//! ```text
//! strace -c BINARY --test publish/tmpfs/None/100/BareCalls
//! ```

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and fails by panicking")]

mod support;

use std::time::Duration;

use criterion::{Criterion, SamplingMode};

use crate::support::{Case, Contest, Ground, Medium, Who, conditions};

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(200))
        .configure_from_args();
    println!("{}", conditions());
    for ground in Medium::ALL.map(Ground::new) {
        for case in Case::all(ground.medium).filter(|case| is_quick(*case)) {
            measure(&mut criterion, &ground, case);
        }
    }
    criterion.final_summary();
}

/// Criterion does a case ten times at the least. That is too often for a disk that has to write a thousand files each time.
fn is_quick(case: Case) -> bool {
    case.medium == Medium::Tmpfs || case.files < 1000
}

fn measure(criterion: &mut Criterion, ground: &Ground, case: Case) {
    let mut group = criterion.benchmark_group(case.to_string());
    group.sampling_mode(SamplingMode::Flat);
    for who in [Who::AtomicDir, Who::BareCalls] {
        group.bench_function(format!("{who:?}"), |bencher| {
            let contest = Contest::new(ground, case, who);
            bencher.iter_custom(|times| (0..times).map(|_| contest.once()).sum());
        });
    }
    group.finish();
}
