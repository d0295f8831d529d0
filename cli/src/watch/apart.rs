//! The host of a turn, which is made on a thread of its own: what the daemon is to that thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use secretdir_engine::{Event, Host};
use secretdir_provider::{Clock, Jitter};
use tokio::sync::Notify;

use crate::host::{clock, jitter};

/// What the thread of a turn may know of the daemon, and tell it.
#[derive(Debug)]
pub(super) struct Apart {
    pub(super) child_umask: u32,
    /// Set as soon as a signal asks for the end.
    pub(super) stop: Arc<AtomicBool>,
    /// Is told once the new set is complete and current.
    pub(super) published: Arc<Notify>,
}

impl Host for Apart {
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
