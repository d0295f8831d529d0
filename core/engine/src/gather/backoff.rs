//! When to ask again: only where every error that is left advises so, and before the deadline.
//!
//! The pause is exponential with full jitter, as described in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015),
//! and never shorter than what an error asks for.

use std::time::Duration;

use secretdir_provider::{Deadline, Retry, SourceError};

use crate::host::Host;

/// The pause before a second attempt is at most this long; each further one at most twice the one before.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// No pause that an error did not ask for is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The pauses between the attempts of one question.
pub(super) struct Backoff<'r> {
    host: &'r dyn Host,
    deadline: &'r Deadline,
    longest: Duration,
}

impl<'r> Backoff<'r> {
    pub(super) fn new(host: &'r dyn Host, deadline: &'r Deadline) -> Self {
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
        let pause = asked.max(self.host.jitter().up_to(self.longest));
        (pause < self.deadline.remaining()).then_some(())?;
        self.host.sleep(pause).await;
        self.longest = (self.longest * 2).min(LONGEST_PAUSE);
        Some(())
    }
}
