//! One turn: a run that can be cancelled.
//!
//! Publishing blocks, because it waits for disks, for locks of the filesystem, and for user lookups. So a host may have its
//! turns made on a separate thread ([`WatchHost::apart`]). Meanwhile the loop handles signals and timers.

use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use futures_util::future::{Either, select};
use secretdir_provider::{Clock, Jitter};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::host::WatchHost;
use super::schedule::End;
use crate::failure::SyncFailure;
use crate::host::{Event, Host};
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::publish::run::longest_wait;
use crate::sync::{self, OutdatedPlan};

/// How long the on-change command, or a store that is issuing something, may take to finish after a request to stop.
const GRACE: Duration = Duration::from_secs(3);

/// How long the turn may take to end after that. A disk that hangs must not prevent the end. The next run removes the
/// staged files.
const CLEANING: Duration = Duration::from_secs(1);

/// The time for all disk operations of a turn. Its other parts have time-outs.
const DISK: Duration = Duration::from_secs(600);

/// How a turn ended.
pub(super) struct TurnEnd(Result<Outcome, SyncFailure>);

impl TurnEnd {
    pub(super) fn result(&self) -> Result<&Outcome, &SyncFailure> {
        self.0.as_ref()
    }

    /// Returns the end of the turn for the schedule. A failure after the flip is retried too. A command whose backoff is
    /// not over is retried when it is.
    pub(super) fn of_schedule(&self) -> End {
        match &self.0 {
            Ok(Outcome { postponed: Some(left), .. }) => End::Postponed(*left),
            Ok(outcome) if outcome.errors.is_empty() => End::Success,
            _ => End::Failure,
        }
    }
}

/// A turn in progress. Dropping it cancels the turn.
pub(super) struct Turn<'h> {
    host: &'h dyn WatchHost,
    progress: Arc<Progress>,
    made: Pin<Box<dyn Future<Output = Option<TurnEnd>> + 'h>>,
    give_up: oneshot::Sender<()>,
}

impl<'h> Turn<'h> {
    pub(super) fn begin(host: &'h dyn WatchHost, plan: Arc<Plan>, outdated: OutdatedPlan) -> Self {
        let progress = Arc::<Progress>::default();
        let (give_up, given_up) = oneshot::channel();
        let run = Run { plan, outdated, progress: Arc::clone(&progress), given_up };
        let made: Pin<Box<dyn Future<Output = _> + 'h>> = match host.apart() {
            Some(apart) => Box::pin(run.make_apart(apart)),
            None => Box::pin(run.make(host)),
        };
        Self { host, progress, made, give_up }
    }

    /// Waits until the turn has ended. Returns `None` if it was cancelled.
    pub(super) fn ended(&mut self) -> Pin<&mut (dyn Future<Output = Option<TurnEnd>> + 'h)> {
        self.made.as_mut()
    }

    /// Stops the turn. It ends at once if nothing is published yet and no store is issuing something. Returns its result,
    /// or none if it was cancelled.
    pub(super) async fn stop(self) -> Option<TurnEnd> {
        let Self { host, progress, mut made, give_up } = self;
        progress.is_stopped.store(true, Ordering::SeqCst);
        let is_announcing = || progress.is_announcing.load(Ordering::SeqCst);
        if is_announcing() || progress.is_issuing.load(Ordering::SeqCst) {
            if let Either::Left((end, _)) = select(made.as_mut(), host.sleep(GRACE)).await {
                return end;
            }
            if is_announcing() {
                tracing::warn!(
                    "the on-change command was stopped, and stays pending: the next run repeats it"
                );
            } else {
                tracing::warn!("the run is ended; what a store has issued for it expires");
            }
        }
        drop(give_up);
        match select(made, host.sleep(CLEANING)).await {
            Either::Left((end, _)) => end,
            Either::Right(_) => {
                let what = "the run takes long: it ends with the process, and the next run cleans up";
                tracing::warn!("{what}");
                None
            }
        }
    }
}

/// Returns the maximum duration of a turn. A turn that takes longer hangs.
pub(super) fn longest(plan: &Plan) -> Duration {
    let on_change = plan.on_change.iter().flat_map(|on_change| {
        let command = on_change.command.as_ref().map(|command| command.timeout);
        [Some(on_change.splay), command].into_iter().flatten()
    });
    let verify = plan.verify.iter().map(|verify| verify.timeout);
    // The turn may wait for another run twice: at its beginning, and after the command to note the success.
    let wait = longest_wait(plan);
    let others = [wait, plan.gather.timeout, DISK, wait];
    others.into_iter().chain(verify).chain(on_change).fold(Duration::ZERO, Duration::saturating_add)
}

/// The stack size of the thread of a turn: that of the first thread of a process on most systems.
const STACK: usize = 8 << 20;

/// The progress of a turn.
#[derive(Default)]
struct Progress {
    /// Whether the set is published, and only its announcement is left.
    is_announcing: AtomicBool,
    /// Whether a store may have issued something for it.
    is_issuing: AtomicBool,
    is_stopped: AtomicBool,
}

/// A turn that has not begun.
struct Run {
    plan: Arc<Plan>,
    outdated: OutdatedPlan,
    progress: Arc<Progress>,
    /// Completes or fails when the turn is cancelled.
    given_up: oneshot::Receiver<()>,
}

impl Run {
    async fn make(self, host: &dyn Host) -> Option<TurnEnd> {
        let host = TurnHost { host, progress: &self.progress };
        let run = pin!(sync::turn(&self.plan, &host, self.outdated));
        match select(run, self.given_up).await {
            Either::Left((ended, _)) => Some(TurnEnd(ended)),
            Either::Right(_) => None,
        }
    }

    /// Makes the turn on a separate thread, or on this one if the system has no more threads. Connections stay with the
    /// runtime of the loop. `spawn_blocking` of the runtime is not used, because it panics if it cannot start a thread.
    async fn make_apart(self, host: Arc<dyn Host + Send + Sync>) -> Option<TurnEnd> {
        let (begin, begun) = mpsc::channel::<Self>();
        let (end, ended) = oneshot::channel();
        let (runtime, apart) = (Handle::current(), Arc::clone(&host));
        let make = move || {
            let made = begun.recv().map(|run| runtime.block_on(run.make(&*apart)));
            // The receiver may be gone.
            drop(end.send(made.ok().flatten()));
        };
        let thread = match thread::Builder::new().name("turn".to_owned()).stack_size(STACK).spawn(make) {
            Ok(thread) => thread,
            Err(error) => {
                tracing::warn!(%error, "cannot start a thread for the run: the daemon waits for it");
                return self.make(&*host).await;
            }
        };
        drop(begin.send(self));
        match ended.await {
            Ok(end) => end,
            Err(_) => thread.join().map_or_else(|panic| resume_unwind(panic), |()| None),
        }
    }
}

/// The host of the loop, as the host of one turn.
struct TurnHost<'t> {
    host: &'t dyn Host,
    progress: &'t Progress,
}

impl Host for TurnHost<'_> {
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
        self.progress.is_stopped.load(Ordering::SeqCst) || self.host.interrupted()
    }

    fn event(&self, event: Event<'_>) {
        match event {
            Event::Notifying => self.progress.is_announcing.store(true, Ordering::SeqCst),
            Event::Issuing => self.progress.is_issuing.store(true, Ordering::SeqCst),
            _ => {}
        }
        self.host.event(event);
    }

    fn child_umask(&self) -> Option<u32> {
        self.host.child_umask()
    }
}
