//! `watch` repeats the same run as long as the host lives.
//!
//! There is one loop, and one turn at a time. Each *turn* is one run, for which the host may provide a thread ([`turn`]).
//! The lock of publishing is held only during a turn. So `secretdir sync` can refresh the set at any time. [`schedule`]
//! decides when a turn comes. The loop works as follows:
//!
//! 1. It becomes the keeper of the set. A second `watch` for the same link ends at once.
//! 2. It waits until a turn is due or something happens ([`Wakeup`]).
//! 3. Before each turn it checks whether the configuration has changed. A valid one replaces the old one as a whole. An
//!    invalid one is ignored as a whole: the old one stays, with its old templates.
//! 4. It makes the turn. A failure changes, deletes and ends nothing: the next turn tries again.
//! 5. It reports the result to the host ([`News`]), and stores when the next turn comes.
//!
//! A request to stop gives up a set that is not yet published, and removes the staging. A store that is issuing something
//! and an on-change command get a few seconds to finish. If the command does not, it stays pending, and the next run
//! repeats it.
//!
//! Between two turns, only the plan, its sources and the state of the loop are kept. No value outlives its turn.

mod freshness;
mod host;
mod news;
mod phase;
mod plans;
mod renewal;
mod schedule;
mod turn;

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use atomicdir::{AtomicDir, Keeper};
use futures_util::future::{Either, select, select_all};
use secretdir_provider::Clock;

use crate::failure::{SyncError, SyncFailure};
use crate::outcome::status::WatchReport;
use crate::plan::Plan;
use crate::publish::leases;
use crate::registry::Registry;
use crate::sync;

pub use freshness::Freshness;
pub use host::{Wakeup, WatchHost};
pub use news::{Config, News, SourceStanding, Standing, TurnResult, Turns};
use plans::Plans;
use schedule::{Action, End, Published, Schedule, ScheduleEvent, Timing};
use turn::{Turn, TurnEnd};

/// Keeps a set current until the host says [`Wakeup::Stop`].
///
/// # Errors
///
/// It fails only at the start: another process keeps the set current, or its path cannot be used.
pub async fn watch(plan: Plan, registry: &Registry, host: &dyn WatchHost) -> Result<(), SyncFailure> {
    let failed = |error: SyncError| SyncFailure::new(error, Vec::new());
    let dir = open(&plan, host).map_err(failed)?;
    let keeper = dir.try_keep().map_err(|error| failed(error.into()))?;
    let mut watching = Watching::begin(plan, registry, host, keeper);
    watching.run().await;
    leases::close(watching.plans.current(), host).await;
    host.news(&News::Stopping, &watching.standing);
    Ok(())
}

/// Opens the folder of the link, like a run.
fn open(plan: &Plan, host: &dyn WatchHost) -> Result<AtomicDir, SyncError> {
    let owners = sync::owners(plan)?;
    Ok(sync::options(plan, &owners, host).open(plan.link())?)
}

/// The state of the loop.
struct Watching<'w> {
    host: &'w dyn WatchHost,
    plans: Plans<'w>,
    schedule: Schedule,
    keeper: Keeper,
    standing: Standing,
    /// Whether the host already knows that the set is stale.
    is_stale: bool,
}

impl<'w> Watching<'w> {
    fn begin(plan: Plan, registry: &'w Registry, host: &'w dyn WatchHost, keeper: Keeper) -> Self {
        let schedule = Schedule::new(timing(&plan, host));
        let standing = Standing::begin(&plan, &host.clock());
        let plans = Plans::new(plan, registry);
        Self { host, plans, schedule, keeper, standing, is_stale: false }
    }

    async fn run(&mut self) {
        self.watch_files();
        let published =
            if self.standing.generation_id.is_some() { Published::Something } else { Published::Nothing };
        self.next(ScheduleEvent::RenewalDue(self.renewal()));
        let mut action = self.next(ScheduleEvent::Started(published));
        if self.plans.current().has_changed_since(self.standing.last_success_at(&self.host.clock())) {
            // A user has edited the configuration, and expects a turn with it.
            action = self.next(ScheduleEvent::Edited);
        }
        self.tell(&News::Started);
        loop {
            let ended = match action {
                Action::Turn => self.turn().await,
                Action::Wait(until) => {
                    let happened = match self.wait(until).await {
                        Wakeup::Stop => return,
                        Wakeup::Reload => {
                            self.plans.reload();
                            ScheduleEvent::Requested
                        }
                        wakeup => happened(wakeup),
                    };
                    action = self.next(happened);
                    self.record();
                    self.tell_if_stale();
                    continue;
                }
            };
            let Some(end) = ended else {
                return self.standing.refresh(self.plans.current(), &self.host.clock());
            };
            self.report(&end);
            self.next(ScheduleEvent::RenewalDue(self.renewal()));
            action = self.next(ScheduleEvent::Ended(end.of_schedule()));
            self.record();
            self.tell(&News::TurnEnded(end.result()));
        }
    }

    /// Reports once that the set has become stale, which needs no turn.
    fn tell_if_stale(&mut self) {
        let is_stale = self.standing.freshness.is_stale(&self.host.clock());
        if is_stale && !std::mem::replace(&mut self.is_stale, is_stale) {
            self.tell(&News::Stale);
        }
    }

    /// Returns when the set becomes stale, unless that has been reported.
    fn stale_at(&self) -> Option<Duration> {
        // At the moment itself, the set is not stale yet.
        let stale = self.standing.freshness.stale_after().filter(|_| !self.is_stale);
        stale.map(|moment| moment.saturating_add(Duration::from_millis(1)))
    }

    /// Waits for the host, for changes that sources report, and until the set is stale.
    async fn wait(&self, until: Option<Duration>) -> Wakeup {
        let until = [until, self.stale_at()].into_iter().flatten().min();
        let plan = self.plans.current();
        let sources = plan.sources.iter().filter(|_| plan.watch.debounce.is_some());
        let changed = sources.map(|source| source.source.changed());
        // This future never completes. It is for a plan without sources.
        let never: Pin<Box<dyn Future<Output = ()> + Send + '_>> = Box::pin(std::future::pending());
        let changed = select_all(changed.chain([never]));
        match select(self.host.wait(until), changed).await {
            Either::Left((wakeup, _)) => wakeup,
            Either::Right(_) => Wakeup::Changed,
        }
    }

    /// Makes a turn. Returns `None` if the daemon must stop.
    async fn turn(&mut self) -> Option<TurnEnd> {
        if let Some(old) = self.renew_plan() {
            leases::close(&old, self.host).await;
        }
        let plan = self.plans.shared();
        self.tell(&News::TurnBegins { longest: turn::longest(&plan) });
        let mut turn = Turn::begin(self.host, plan, self.plans.outdated());
        loop {
            let wakeup = match select(turn.ended(), self.host.wait(self.stale_at())).await {
                Either::Left((end, _)) => return end,
                Either::Right((wakeup, _)) => wakeup,
            };
            // The set can become stale during a turn that hangs.
            self.tell_if_stale();
            match wakeup {
                Wakeup::Stop => {
                    if let Some(end) = turn.stop().await {
                        self.report(&end);
                        self.tell(&News::TurnEnded(end.result()));
                    }
                    return None;
                }
                Wakeup::Reload => self.plans.reload(),
                _ => {}
            }
            if wakeup != Wakeup::Due {
                let (now, jitter) = (self.host.clock().now(), self.host.jitter());
                self.schedule = self.schedule.clone().next(happened(wakeup), now, &jitter).0;
            }
        }
    }

    /// Reads the configuration again if it has changed. Returns the replaced plan.
    fn renew_plan(&mut self) -> Option<Arc<Plan>> {
        let renewed = self.plans.renew();
        let news = match renewed {
            plans::ReloadResult::Unchanged => return None,
            plans::ReloadResult::Rebuilt(old) => return Some(old),
            plans::ReloadResult::Restored => {
                self.standing.config = Config::Current { since: self.host.clock().date() };
                self.tell(&News::ConfigReplaced);
                return None;
            }
            plans::ReloadResult::Replaced(old) => {
                if let Err(failure) = self.move_to_link(&old) {
                    self.plans.revert(old);
                    self.standing.config.refuse(1);
                    self.tell(&News::ReloadFailed(&failure));
                    return None;
                }
                self.next(ScheduleEvent::TimingChanged(timing(self.plans.current(), self.host)));
                self.watch_files();
                self.standing.config = Config::Current { since: self.host.clock().date() };
                self.standing.reads(self.plans.current());
                self.tell(&News::ConfigReplaced);
                return Some(old);
            }
            plans::ReloadResult::Refused(error) => {
                self.standing.config.refuse(error.problems().len());
                self.watch_files();
                error
            }
        };
        self.tell(&News::ConfigRefused(&news));
        None
    }

    /// Becomes the keeper of another link, if the configuration has a new one. The old set stays as it is.
    fn move_to_link(&mut self, old: &Plan) -> Result<(), Box<SyncFailure>> {
        let plan = self.plans.current();
        if plan.link() != old.link() {
            let failed = |error: SyncError| Box::new(SyncFailure::new(error, Vec::new()));
            let dir = open(plan, self.host).map_err(failed)?;
            self.keeper = dir.try_keep().map_err(|error| failed(error.into()))?;
            self.standing.moves(plan, &self.host.clock());
        }
        Ok(())
    }

    fn report(&mut self, end: &TurnEnd) {
        let clock = self.host.clock();
        self.is_stale &= end.of_schedule() == End::Failure;
        match end.result() {
            Ok(outcome) => self.standing.published(outcome, &clock),
            Err(failure) => self.standing.failed(failure, &clock),
        }
        if let (Err(_), Some(due)) = (end.result(), self.standing.renew_at) {
            let (end, now) = (self.standing.valid_until, clock.date());
            self.standing.renew_at = renewal::after_failure(due, end, now, &self.host.jitter());
        }
        self.plans.note(end.result().err());
    }

    /// Returns the moment at which the first secret must be renewed.
    fn renewal(&self) -> Option<Duration> {
        let (clock, at) = (self.host.clock(), self.standing.renew_at?);
        Some(clock.now().saturating_add(at.duration_since(clock.date()).unwrap_or_default()))
    }

    fn next(&mut self, happened: ScheduleEvent) -> Action {
        let (clock, jitter) = (self.host.clock(), self.host.jitter());
        let (schedule, action) = self.schedule.clone().next(happened, clock.now(), &jitter);
        self.schedule = schedule;
        self.standing.next_turn_at = self.schedule.due().map(|due| date_of(due, &clock));
        action
    }

    fn tell(&self, news: &News<'_>) {
        self.host.news(news, &self.standing);
    }

    fn watch_files(&self) {
        let plan = self.plans.current();
        let paths = if plan.watch.debounce.is_some() { self.plans.local_paths() } else { Vec::new() };
        let stamp = plan.on_change.as_ref().and_then(|on_change| on_change.stamp.as_ref());
        let stamp = stamp.map(|name| plan.link().with_file_name(name.as_str()));
        self.host.watch_files(&paths, plan.link(), stamp.as_deref());
    }

    /// Stores when the next turn comes, for `status`. This is only for people, so a failure is not an error.
    fn record(&self) {
        let report = WatchReport::new(self.standing.next_turn_at, self.plans.current().watch.max_stale);
        let recorded = self.keeper.record(&report.to_record());
        if let Err(error) = recorded {
            tracing::debug!(%error, "`status` cannot show when the next run comes");
        }
    }
}

fn happened(wakeup: Wakeup) -> ScheduleEvent {
    match wakeup {
        Wakeup::Due | Wakeup::Stop => ScheduleEvent::Due,
        Wakeup::Refresh | Wakeup::Reload => ScheduleEvent::Requested,
        Wakeup::Changed => ScheduleEvent::Changed,
        Wakeup::Resumed => ScheduleEvent::Resumed,
    }
}

fn timing(plan: &Plan, host: &dyn WatchHost) -> Timing {
    Timing {
        interval: plan.watch.interval,
        phase: phase::phase(&host.machine(), &news::absolute(plan), plan.watch.splay),
        debounce: plan.watch.debounce.unwrap_or_default(),
    }
}

/// Returns the date of a moment.
fn date_of(moment: Duration, clock: &Clock) -> SystemTime {
    let date = clock.date();
    date.checked_add(moment.saturating_sub(clock.now())).unwrap_or(date)
}
