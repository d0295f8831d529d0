//! A host for tests. It uses the time of tokio, which a test can pause, and the maximum of every random pause.

use std::time::SystemTime;

use secretdir_provider::{Clock, Jitter};
use tokio::time::Instant;

use crate::gather::holdings::HeldSecrets;
use crate::gather::issuing::Purpose;
use crate::gather::{Gathered, gather};
use crate::host::Host;
use crate::plan::Plan;

thread_local! {
    /// Each test runs on its own thread, so it has its own time.
    static START: Instant = Instant::now();
}

pub(crate) struct TestHost;

impl Host for TestHost {
    fn clock(&self) -> Clock {
        // Each call must return the same clock.
        Clock::new(|| START.with(|start| start.elapsed())).with_date(|| SystemTime::UNIX_EPOCH)
    }

    fn jitter(&self) -> Jitter {
        Jitter::new(|longest| longest)
    }
}

/// Gathers like the first run, before anything is published.
pub(crate) async fn gathered(plan: &Plan) -> Gathered {
    gather(plan, &TestHost, Purpose::Publish, HeldSecrets::default()).await
}
