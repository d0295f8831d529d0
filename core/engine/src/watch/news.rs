//! The events and the state that the loop reports to its host.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use atomicdir::GenerationStatus;
use secretdir_provider::{Clock, SourceErrorKind};

use crate::failure::{SyncError, SyncFailure};
use crate::outcome::{Outcome, State};
use crate::plan::Plan;
use crate::problem::ConfigError;
use crate::publish::life;
use crate::publish::manifest::Manifest;
use crate::publish::publication::Notification;
use crate::watch::freshness::Freshness;

/// An event of the loop.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum News<'n> {
    /// The loop begins.
    Started,
    /// The last success is so old that the set is stale.
    Stale,
    /// A turn begins.
    TurnBegins {
        /// The maximum duration of a turn: the sum of its time-outs, and ten minutes for disks. A turn that takes longer
        /// hangs.
        longest: Duration,
    },
    /// A turn has ended.
    TurnEnded(Result<&'n Outcome, &'n SyncFailure>),
    /// A changed configuration is in use from now on.
    ConfigReplaced,
    /// The changed configuration is valid, but its link cannot be used. The old one stays in use.
    ReloadFailed(&'n SyncFailure),
    /// The changed configuration is invalid. The old one stays in use.
    ConfigRefused(&'n ConfigError),
    /// The loop ends.
    Stopping,
}

/// The state of the loop and of the set.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Standing {
    /// The link.
    pub link: PathBuf,
    /// The current generation. None before the first publication.
    pub generation_id: Option<String>,
    /// The number of its files, if it is known.
    pub file_count: Option<usize>,
    /// How many superseded generations remain.
    pub superseded_count: usize,
    /// How many of them the last turn could not remove because a reader pinned them.
    pub pinned_count: usize,
    /// The first expiry of a secret of the set, if it is known.
    pub valid_until: Option<SystemTime>,
    /// When the first secret must be renewed.
    pub(super) renew_at: Option<SystemTime>,
    /// The sources.
    pub sources: Vec<SourceStanding>,
    /// The age of the last success.
    pub freshness: Freshness,
    /// When the last turn ended, and how.
    pub last_turn: Option<(SystemTime, TurnResult)>,
    /// When the current set was published.
    pub last_change_at: Option<SystemTime>,
    /// The number of turns by result.
    pub turns: Turns,
    /// The number of failed turns in a row.
    pub failures: u32,
    /// When the next turn comes, if nothing causes an earlier one.
    pub next_turn_at: Option<SystemTime>,
    /// Whether the on-change command has not succeeded yet.
    pub is_on_change_pending: bool,
    /// The number of failures of the on-change command.
    pub on_change_failures: u64,
    /// The configuration in use.
    pub config: Config,
}

/// A source, over all turns.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SourceStanding {
    /// Its name.
    pub name: String,
    /// The number of secrets that it returned at the last success.
    pub secret_count: usize,
    /// The number of successful turns with its answers, and their total duration.
    pub answers: (u64, Duration),
    /// The number of its failures, by kind.
    pub errors: Vec<(SourceErrorKind, u64)>,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TurnResult {
    /// A new set is published.
    Published,
    /// The published set is up to date.
    Unchanged,
    /// Something failed.
    Failed,
}

/// The number of turns by result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Turns {
    /// With a new set.
    pub published: u64,
    /// With the old set.
    pub unchanged: u64,
    /// With a failure.
    pub failed: u64,
}

/// The state of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Config {
    /// The current content of the files is in use.
    Current {
        /// When it was read.
        since: SystemTime,
    },
    /// An older configuration is in use, because the current content of the files is invalid or its link cannot be used.
    Refused {
        /// When the configuration in use was read.
        since: SystemTime,
        /// The number of problems of the new configuration.
        problems: usize,
    },
}

impl Config {
    pub(super) fn refuse(&mut self, problems: usize) {
        let (Self::Current { since } | Self::Refused { since, .. }) = *self;
        *self = Self::Refused { since, problems };
    }
}

impl Standing {
    /// Reads the state of the published set. Unreadable parts count as unknown; the first turn reports why.
    pub fn begin(plan: &Plan, clock: &Clock) -> Self {
        let status = plan.location().status().unwrap_or_default();
        let age = status.last_success.map(|date| clock.date().duration_since(date).unwrap_or_default());
        let freshness = Freshness::begin(age, plan.watch.max_stale, clock);
        let current = status.current.as_ref();
        let noted = current.and_then(|current| Manifest::parse(current.note.as_deref()?));
        let mut standing = Self {
            link: absolute(plan),
            superseded_count: status.superseded.len(),
            valid_until: noted.as_ref().and_then(Manifest::valid_until),
            renew_at: noted.as_ref().and_then(|noted| noted.overdue_or_renew_at(clock.date())),
            generation_id: status.current.as_ref().map(|current| current.id.to_string()),
            file_count: status.current.as_ref().map(|current| current.files.len()),
            pinned_count: 0,
            sources: Vec::new(),
            freshness,
            last_turn: None,
            last_change_at: status.current.as_ref().map(|current| current.since),
            turns: Turns::default(),
            failures: 0,
            next_turn_at: None,
            is_on_change_pending: status.current.as_ref().is_some_and(is_pending),
            on_change_failures: 0,
            config: Config::Current { since: clock.date() },
        };
        standing.reads(plan);
        standing
    }

    /// Reads the state of the set at another link.
    pub(super) fn moves(&mut self, plan: &Plan, clock: &Clock) {
        let there = Self::begin(plan, clock);
        self.freshness = there.freshness.clone();
        self.finds(there);
    }

    /// Reads the state of the set again after a turn was given up, because its result is unknown.
    pub(super) fn refresh(&mut self, plan: &Plan, clock: &Clock) {
        self.finds(Self::begin(plan, clock));
    }

    fn finds(&mut self, there: Self) {
        self.generation_id = there.generation_id;
        self.file_count = there.file_count;
        self.last_change_at = there.last_change_at;
        self.superseded_count = there.superseded_count;
        self.is_on_change_pending = there.is_on_change_pending;
        self.valid_until = there.valid_until;
        self.renew_at = there.renew_at;
    }

    /// Returns the date of the last success.
    pub(super) fn last_success_at(&self, clock: &Clock) -> Option<SystemTime> {
        self.freshness.age(clock).and_then(|age| clock.date().checked_sub(age))
    }

    /// Takes over the link, the limit and the sources of another configuration. Sources that it still has keep their
    /// counts.
    pub(super) fn reads(&mut self, plan: &Plan) {
        self.link = absolute(plan);
        self.freshness.max_stale = plan.watch.max_stale;
        let sources = plan.sources.iter().map(|source| {
            let known = self.sources.iter().find(|known| known.name == source.name).cloned();
            known.unwrap_or_else(|| SourceStanding { name: source.name.clone(), ..SourceStanding::default() })
        });
        self.sources = sources.collect();
    }

    /// Updates the state after a run that has published a set, or found it up to date.
    pub fn published(&mut self, outcome: &Outcome, clock: &Clock) {
        self.generation_id = Some(outcome.generation_id.clone());
        self.file_count = Some(outcome.file_count);
        self.pinned_count = outcome.pinned_count;
        self.superseded_count = outcome.superseded_count;
        self.valid_until = outcome.valid_until.map(life::date);
        self.renew_at = outcome.renew_at;
        for asked in &outcome.sources {
            if let Some(source) = self.sources.iter_mut().find(|source| source.name == asked.name) {
                source.secret_count = asked.secret_count;
                source.answers.0 += 1;
                source.answers.1 += asked.duration;
            }
        }
        let has_failed = !outcome.errors.is_empty();
        self.is_on_change_pending = outcome.on_change.is_pending();
        self.on_change_failures += u64::from(outcome.on_change == Notification::Pending && has_failed);
        self.failures = if has_failed { self.failures.saturating_add(1) } else { 0 };
        if outcome.state == State::Published {
            self.last_change_at = Some(clock.date());
        }
        if !has_failed {
            self.freshness.succeed(clock);
        }
        self.count(
            match outcome.state {
                _ if has_failed => TurnResult::Failed,
                State::Published => TurnResult::Published,
                State::Unchanged => TurnResult::Unchanged,
            },
            clock,
        );
    }

    /// Updates the state after a failed run.
    pub fn failed(&mut self, failure: &SyncFailure, clock: &Clock) {
        if let SyncError::Gather(error) = &failure.error {
            for failure in error.failures() {
                let source = self
                    .sources
                    .iter_mut()
                    .find(|source| Some(source.name.as_str()) == failure.source_name());
                if let (Some(source), Some(kind)) = (source, failure.kind()) {
                    source.count(kind);
                }
            }
        }
        self.failures = self.failures.saturating_add(1);
        self.count(TurnResult::Failed, clock);
    }

    fn count(&mut self, result: TurnResult, clock: &Clock) {
        let counter = match result {
            TurnResult::Published => &mut self.turns.published,
            TurnResult::Unchanged => &mut self.turns.unchanged,
            TurnResult::Failed => &mut self.turns.failed,
        };
        *counter += 1;
        self.last_turn = Some((clock.date(), result));
    }
}

impl SourceStanding {
    fn count(&mut self, kind: SourceErrorKind) {
        match self.errors.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => self.errors.push((kind, 1)),
        }
    }
}

/// Returns whether the announcement of a generation is pending.
fn is_pending(current: &GenerationStatus) -> bool {
    current.note.as_deref().and_then(Manifest::parse).is_some_and(|manifest| manifest.is_pending())
}

/// Returns the absolute path of the link. It identifies the link for monitoring, in whatever folder the command was
/// started.
pub(super) fn absolute(plan: &Plan) -> PathBuf {
    std::path::absolute(plan.link()).unwrap_or_else(|_| plan.link().to_owned())
}
