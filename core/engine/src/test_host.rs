//! A host for tests: time is tokio's, which a test can pause, and every random pause takes as long as it may.

use std::time::SystemTime;

use secretdir_provider::{Clock, Jitter};
use tokio::time::Instant;

use crate::gather::holdings::Holdings;
use crate::gather::issuing::Purpose;
use crate::gather::{Gathered, gather};
use crate::host::Host;
use crate::plan::Plan;

thread_local! {
    /// Each test has a thread, and with it a time, of its own.
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

/// Gathers as a run does that nothing was published before.
pub(crate) async fn gathered(plan: &Plan) -> Gathered {
    gather(plan, &TestHost, Purpose::Publish, Holdings::default()).await
}
