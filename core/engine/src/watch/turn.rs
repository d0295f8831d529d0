//! One turn: a run that can be given up.

use std::cell::Cell;
use std::pin::Pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use secretdir_provider::{Clock, Jitter};

use super::host::WatchHost;
use super::schedule::End;
use crate::failure::SyncFailure;
use crate::host::{Event, Host};
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::sync::{self, Currency};

/// How long the on-change command has to end, once the daemon is to end.
const GRACE: Duration = Duration::from_secs(3);

/// A turn under way.
pub(super) struct Turn<'h> {
    host: &'h dyn WatchHost,
    /// Whether the set is published, and the rest is to tell of it.
    is_announcing: Cell<bool>,
    /// Whether a store may have made something for it.
    is_issuing: Cell<bool>,
    is_stopped: Cell<bool>,
}

/// How a turn ended.
pub(super) struct TurnEnd(Result<Outcome, SyncFailure>);

impl TurnEnd {
    pub(super) fn result(&self) -> Result<&Outcome, &SyncFailure> {
        self.0.as_ref()
    }

    /// What failed after the flip is tried again as well: a command that is put off when its pause is over.
    pub(super) fn of_schedule(&self) -> End {
        match &self.0 {
            Ok(Outcome { put_off: Some(left), .. }) => End::PutOff(*left),
            Ok(outcome) if outcome.errors.is_empty() => End::Success,
            _ => End::Failure,
        }
    }
}

impl<'h> Turn<'h> {
    pub(super) fn new(host: &'h dyn WatchHost) -> Self {
        Self {
            host,
            is_announcing: Cell::new(false),
            is_issuing: Cell::new(false),
            is_stopped: Cell::new(false),
        }
    }

    pub(super) async fn make(&self, plan: &Plan, currency: Currency) -> TurnEnd {
        TurnEnd(sync::turn(plan, self, currency).await)
    }

    /// Ends a turn: at once, if nothing is published yet, and no store has made anything that is to be given back.
    pub(super) async fn stop(&self, mut made: Pin<&mut impl Future<Output = TurnEnd>>) {
        self.is_stopped.set(true);
        if !self.is_announcing.get() && !self.is_issuing.get() {
            return;
        }
        if let Either::Right(_) = select(made.as_mut(), self.host.sleep(GRACE)).await {
            if self.is_announcing.get() {
                tracing::warn!("the on-change command is ended, and stays pending: the next run repeats it");
            } else {
                tracing::warn!("the turn is ended; what a store has made for it runs out");
            }
        }
    }
}

impl Host for Turn<'_> {
    fn clock(&self) -> Clock {
        self.host.clock()
    }

    fn jitter(&self) -> Jitter {
        self.host.jitter()
    }

    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        self.host.sleep(pause)
    }

    fn interrupted(&self) -> bool {
        self.is_stopped.get() || self.host.interrupted()
    }

    fn event(&self, event: Event<'_>) {
        self.is_announcing.set(self.is_announcing.get() || event == Event::Notifying);
        self.is_issuing.set(self.is_issuing.get() || event == Event::Issuing);
        self.host.event(event);
    }

    fn child_umask(&self) -> Option<u32> {
        self.host.child_umask()
    }
}
