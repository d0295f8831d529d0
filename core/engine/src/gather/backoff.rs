//! The backoff between attempts. There is another attempt only if every remaining error advises a retry, and if it begins
//! before the deadline.
//!
//! The pause is exponential with full jitter. "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015) describes it.
//! The pause is never shorter than an error asks for.

use std::time::Duration;

use secretdir_provider::{Deadline, Retry, SourceError};

use crate::host::Host;

/// The maximum pause before the second attempt. The maximum doubles with each further attempt.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The limit of that maximum. An error may ask for a longer pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The backoff between the attempts of one question.
pub(super) struct Backoff<'r> {
    host: &'r dyn Host,
    deadline: &'r Deadline,
    longest: Duration,
}

impl<'r> Backoff<'r> {
    pub(super) fn new(host: &'r dyn Host, deadline: &'r Deadline) -> Self {
        Self { host, deadline, longest: FIRST_PAUSE }
    }

    /// Waits until the next attempt. Returns `None` at once if a retry cannot make the run succeed.
    pub(super) async fn pause(&mut self, errors: impl Iterator<Item = &SourceError>) -> Option<()> {
        let advice = errors.map(|error| match error.retry() {
            Retry::After(pause) => Some(pause),
            // Unknown advice, from a later version of the interface, is no reason to retry.
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
