//! What a store in a bad mood does to whoever asks it.

use std::future::pending;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use secretdir_provider::{SourceError, SourceErrorKind};

use super::{Fault, Mood, Source};

impl<const FAULT: u32> Source<FAULT> {
    /// Tells too much, with such a fault. What others trace below the level of an error is never shown.
    #[expect(clippy::panic, reason = "a panic is one of the faults")]
    pub(super) fn trace(&self, value: &str) {
        tracing::debug!(target: "a_library", value, "asked");
        match FAULT {
            Fault::SHOWN_BY_TRACE => tracing::trace!(value, "asked"),
            Fault::SHOWN_BY_FOREIGN_ERROR => tracing::error!(target: "a_library", value, "asked"),
            Fault::SHOWN_BY_PANIC => panic!("not there, but {value}"),
            _ => {}
        }
    }

    /// Answers as a store in a bad mood does.
    pub(super) async fn bad_mood(&self) -> Option<SourceError> {
        match self.0.mood {
            Mood::Throttling if FAULT == Fault::THROTTLED_IS_OTHER => {
                Some(SourceError::new(SourceErrorKind::Unavailable).with_cause("too much"))
            }
            Mood::Throttling => Some(SourceError::new(SourceErrorKind::Throttled).with_cause("too much")),
            Mood::Hanging => Some(self.hang().await),
            Mood::Counting => {
                self.count().await;
                None
            }
            Mood::Present | Mood::Absent | Mood::Later | Mood::Stalling | Mood::Damaged => None,
        }
    }

    async fn hang(&self) -> SourceError {
        match FAULT {
            Fault::HANG_IS_OTHER => SourceError::new(SourceErrorKind::Unavailable).with_cause("hangs"),
            Fault::BLOCKS => {
                thread::sleep(Duration::from_secs(8));
                SourceError::new(SourceErrorKind::TimedOut).with_cause("hung")
            }
            _ => pending().await,
        }
    }

    async fn count(&self) {
        if FAULT == Fault::NEVER_ASKS {
            return;
        }
        let shared = &self.0.shared;
        let now = shared.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        shared.most.fetch_max(now, Ordering::Relaxed);
        tokio::task::yield_now().await;
        shared.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
