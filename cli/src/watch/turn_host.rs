//! The host of a turn: the connection of the turn's own thread to the daemon.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use secretdir_engine::{Event, Host};
use secretdir_provider::{Clock, Jitter};
use tokio::sync::Notify;

use crate::host::{clock, jitter};

/// The state that the thread of a turn shares with the daemon.
#[derive(Debug)]
pub(super) struct TurnHost {
    pub(super) child_umask: u32,
    /// Set as soon as a signal asks the daemon to end.
    pub(super) stop: Arc<AtomicBool>,
    /// Notified once the new set is complete and current.
    pub(super) published: Arc<Notify>,
}

impl Host for TurnHost {
    fn clock(&self) -> Clock {
        clock()
    }

    fn jitter(&self) -> Jitter {
        jitter()
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn event(&self, event: Event<'_>) {
        if event == Event::Notifying {
            self.published.notify_one();
        }
        if !matches!(event, Event::Arrived { .. }) {
            tracing::info!("{event}");
        }
    }

    fn child_umask(&self) -> Option<u32> {
        Some(self.child_umask)
    }
}
