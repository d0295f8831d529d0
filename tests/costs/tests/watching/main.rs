//! Lives of the daemon in a world of its own: the real loop, schedule, engine and filesystem, with a store, a clock and a date that are
//! made up. Stores fail, machines sleep, dates are set ten years forward and back, the daemon is ended and started again.
//!
//! `SECRETDIR_SEED`, `SECRETDIR_SEEDS` and `SECRETDIR_DAYS` choose other lives than those of each test run; a life comes again with its
//! seed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod store;
mod world;

use std::fs;
use std::rc::Rc;
use std::sync::atomic::Ordering;

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
interval = "5m"
max-stale = "1h"
"#;

fn live(seed: u64, days: u64) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("secretdir.toml");
    fs::write(&config, CONFIG).unwrap();
    let mut registry = Registry::new();
    registry.register(Box::new(Scripted)).unwrap();
    store().is_down.store(false, Ordering::SeqCst);
    let world = Rc::new(World::new(seed, days, folder.path().join("out/app")));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    while !world.is_over.get() {
        let plan = Plan::read(&config, None, &registry).unwrap();
        world.settle_anew();
        world.succeeded_at.set(None);
        runtime.block_on(secretdir_engine::watch(plan, &registry, &*world)).unwrap();
    }
    world.check_attempts();
    assert!(world.published.get() > days, "{} sets were published", world.published.get());
}

#[test]
fn lives_of_faults_sleep_and_wrong_dates_keep_the_promises() {
    let number = |name: &str, usual| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let (first, days) = (number("SECRETDIR_SEED", 1), number("SECRETDIR_DAYS", 3));
    for seed in first..first + number("SECRETDIR_SEEDS", 12) {
        let lived = std::panic::catch_unwind(|| live(seed, days));
        if let Err(panicked) = lived {
            let told = panicked.downcast_ref::<String>().cloned().unwrap_or_default();
            panic!("SECRETDIR_SEED={seed} SECRETDIR_DAYS={days}: {told}");
        }
    }
}
