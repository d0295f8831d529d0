//! One run of the engine, as the command makes it: what `tests/costs/run` counts.

use std::alloc::System;
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use secretdir_engine::{Host, Plan, Registry};
use secretdir_provider::{Clock, Jitter};
use secretdir_provider_file::FileProvider;
use zeroizing_alloc::ZeroAlloc;

/// What the command has, too: its price is counted.
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

/// Somebody who waits for nothing.
struct Calm;

impl Host for Calm {
    fn clock(&self) -> Clock {
        let start = Instant::now();
        Clock::new(move || start.elapsed())
    }

    fn jitter(&self) -> Jitter {
        Jitter::new(|_| Duration::ZERO)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let config = std::env::args_os().nth(1).ok_or("usage: secretdir-costs CONFIG")?;
    let mut registry = Registry::new();
    registry.register(Box::new(FileProvider))?;
    let plan = Plan::read(Path::new(&config), None, &registry)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(secretdir_engine::sync(&plan, &registry, &Calm, None))?;
    Ok(())
}
