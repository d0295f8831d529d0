//! What the loop tells its host: what has happened, and how things stand.

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

/// What has happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum News<'n> {
    /// The loop begins.
    Started,
    /// So much time has passed without a success that the set is stale.
    Stale,
    /// A turn begins.
    TurnBegins {
        /// How long it takes at most: all that it waits for has a timeout, and a disk has ten minutes. One that takes longer hangs.
        longest: Duration,
    },
    /// A turn has ended.
    TurnEnded(Result<&'n Outcome, &'n SyncFailure>),
    /// The configuration has changed, and counts from now on.
    ConfigReplaced,
    /// The configuration has changed and is right, but its link cannot be used: the old one goes on.
    ReloadFailed(&'n SyncFailure),
    /// The configuration has changed, and is wrong: the old one goes on.
    ConfigRefused(&'n ConfigError),
    /// The loop ends.
    Stopping,
}

/// How things stand.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Standing {
    /// The link.
    pub link: PathBuf,
    /// The current generation; none before the first publish.
    pub generation_id: Option<String>,
    /// How many files it has, as far as that is known.
    pub file_count: Option<usize>,
    /// How many superseded generations are still there.
    pub superseded_count: usize,
    /// How many of them a reader kept from being removed at the last turn.
    pub pinned_count: usize,
    /// The first moment at which a secret of the set is not good any more, as far as that is known.
    pub valid_until: Option<SystemTime>,
    /// When the first one is to be renewed.
    pub(super) renew_at: Option<SystemTime>,
    /// The sources.
    pub sources: Vec<SourceStanding>,
    /// When the last success was.
    pub freshness: Freshness,
    /// When the last turn ended, and how.
    pub last_turn: Option<(SystemTime, TurnResult)>,
    /// When something was published last, by this process.
    pub last_change_at: Option<SystemTime>,
    /// How many turns ended in each way.
    pub turns: Turns,
    /// How many turns have failed in a row.
    pub failures: u32,
    /// When the next turn comes, if nothing happens before.
    pub next_turn_at: Option<SystemTime>,
    /// Whether the on-change command has yet to succeed.
    pub is_on_change_pending: bool,
    /// How often the on-change command has failed.
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
    /// How many secrets it gave at the last success.
    pub secret_count: usize,
    /// How often it has answered, and how long that took in all.
    pub answers: (u64, Duration),
    /// How often it failed, by kind.
    pub errors: Vec<(SourceErrorKind, u64)>,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TurnResult {
    /// A new set is published.
    Published,
    /// What is published is what is wanted.
    Unchanged,
    /// Something failed.
    Failed,
}

/// How many turns ended in each way.
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

/// Which configuration is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Config {
    /// That which the files have.
    Current {
        /// When it was read.
        since: SystemTime,
    },
    /// An older one: that which the files have is wrong.
    Refused {
        /// When the one in use was read.
        since: SystemTime,
        /// How many problems the new one has.
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
    /// Looks at what is published. What cannot be read is not known; the first turn tells why.
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

    /// Looks at what is published at another link.
    pub(super) fn moves(&mut self, plan: &Plan, clock: &Clock) {
        let there = Self::begin(plan, clock);
        self.freshness = there.freshness.clone();
        self.finds(there);
    }

    /// Looks again at what is published, after a turn that was given up: nothing else tells what it has done.
    pub(super) fn looks_again(&mut self, plan: &Plan, clock: &Clock) {
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

    /// Takes over what another configuration says. Counts of sources that it still has go on.
    pub(super) fn reads(&mut self, plan: &Plan) {
        self.link = absolute(plan);
        self.freshness.max_stale = plan.watch.max_stale;
        let sources = plan.sources.iter().map(|source| {
            let known = self.sources.iter().find(|known| known.name == source.name).cloned();
            known.unwrap_or_else(|| SourceStanding { name: source.name.clone(), ..SourceStanding::default() })
        });
        self.sources = sources.collect();
    }

    /// Notes a run that has published a set, or found it current.
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

    /// Notes a run that has failed.
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

/// Says whether the change to a generation has yet to be announced.
fn is_pending(current: &GenerationStatus) -> bool {
    current.note.as_deref().and_then(Manifest::parse).is_some_and(|manifest| manifest.is_pending())
}

/// Returns the path of the link, by which a monitor knows it wherever this was started.
pub(super) fn absolute(plan: &Plan) -> PathBuf {
    std::path::absolute(plan.link()).unwrap_or_else(|_| plan.link().to_owned())
}
