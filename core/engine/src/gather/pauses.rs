//! When to ask again: only where every error that is left advises so, and before the deadline.
//!
//! The pause is exponential with full jitter, as described in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015),
//! and never shorter than what an error asks for.

use std::time::Duration;

use secretdir_provider::{Retry, SourceError};
use tokio::time::{Instant, sleep};

use crate::host::Host;

/// The pause before a second attempt is at most this long; each further one at most twice the one before.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// No pause that an error did not ask for is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The pauses between the attempts of one question.
pub(super) struct Pauses<'h> {
    host: &'h dyn Host,
    deadline: Instant,
    longest: Duration,
}

impl<'h> Pauses<'h> {
    pub(super) fn new(host: &'h dyn Host, deadline: Instant) -> Self {
        Self { host, deadline, longest: FIRST_PAUSE }
    }

    /// Waits until what failed should be asked again. `None`, at once, if that cannot make the run succeed.
    pub(super) async fn pause(&mut self, errors: impl Iterator<Item = &SourceError>) -> Option<()> {
        let advice = errors.map(|error| match error.retry() {
            Retry::After(pause) => Some(pause),
            // What a later version of the interface may advise is no reason to ask again now.
            _ => None,
        });
        let asked = advice.collect::<Option<Vec<_>>>()?.into_iter().max()?;
        let pause = asked.max(self.host.jitter(self.longest));
        Instant::now().checked_add(pause).filter(|then| *then < self.deadline)?;
        sleep(pause).await;
        self.longest = (self.longest * 2).min(LONGEST_PAUSE);
        Some(())
    }
}
