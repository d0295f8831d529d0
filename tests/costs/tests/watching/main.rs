//! Lives of the daemon in a world of its own: the real loop, schedule, engine and filesystem, with a store, a clock and a date that are
//! made up. Stores fail, machines sleep, dates are set ten years forward and back, the daemon is ended and started again.
//!
//! These are a few short lives. `tests/costs/simulate` lets many of them last 30 days, with `SECRETDIR_SEED`, `SECRETDIR_SEEDS` and
//! `SECRETDIR_DAYS`. A life comes again with its seed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod store;
mod world;

use std::fs;
use std::io::Write as _;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use secretdir_engine::{Plan, Registry};

use crate::store::{Scripted, store};
use crate::world::World;

const CONFIG: &str = r#"
[directory]
path = "out/app"
durability = "none"
retain = "10m"
[sources.store]
provider = "scripted"
[files]
token = { source = "store", secret = "token" }
[on-change]
stamp = "changed"
[watch]
"#;

/// Lives once, and returns how many turns there were, and how many sets were published.
fn live(seed: u64, days: u64) -> (usize, u64) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("secretdir.toml");
    // Between two turns. Each is that of a quarter of the lives.
    let minutes = match seed % 4 {
        0 => 5,
        1 => 15,
        2 => 60,
        _ => 120,
    };
    let times = format!("interval = \"{minutes}m\"\nmax-stale = \"{}m\"\n", 3 * minutes);
    fs::write(&config, format!("{CONFIG}{times}")).unwrap();
    let mut registry = Registry::new();
    registry.register(Box::new(Scripted)).unwrap();
    store().is_down.store(false, Ordering::SeqCst);
    let world =
        Rc::new(World::new(seed, days, Duration::from_secs(60 * minutes), folder.path().join("out/app")));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    while !world.is_over.get() {
        let plan = Plan::read(&config, None, &registry).unwrap();
        world.settle_anew();
        world.succeeded_at.set(None);
        runtime.block_on(secretdir_engine::watch(plan, &registry, &*world)).unwrap();
    }
    world.check_attempts();
    assert!(world.published.get() > days, "{} sets were published", world.published.get());
    (world.turns(), world.published.get())
}

#[test]
fn lives_of_faults_sleep_and_wrong_dates_keep_the_promises() {
    let number = |name: &str, usual| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let (first, days) = (number("SECRETDIR_SEED", 1), number("SECRETDIR_DAYS", 3));
    let (mut turns, mut published) = (0, 0);
    for seed in first..first + number("SECRETDIR_SEEDS", 12) {
        let lived = std::panic::catch_unwind(|| live(seed, days)).unwrap_or_else(|panicked| {
            let told = panicked.downcast_ref::<String>().cloned().unwrap_or_default();
            panic!("SECRETDIR_SEED={seed} SECRETDIR_DAYS={days}: {told}")
        });
        turns += lived.0;
        published += lived.1;
    }
    writeln!(std::io::stdout(), "{turns} turns, {published} sets published").unwrap();
}
