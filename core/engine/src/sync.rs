//! One run: lock, heal, gather, compare, stage, publish, retire, notify.
//!
//! The lock is taken before gathering, so that an older run can never publish over a newer one. That holds for the
//! configuration as well: a run may have waited for the lock, so it looks whether the files that its plan was made of have
//! changed, and begins anew with what they say now. Until the flip every failure is an error and the published set is what
//! it was; after it, failures are part of the outcome.

use std::time::Duration;

use atomicdir::{AtomicDir, FileMap, Locked, NewFile, Options};
use secretdir_provider::Deadline;

use crate::announce::Announcing;
use crate::bundle::Bundle;
use crate::difference::Difference;
use crate::failure::{GatherError, RENEWALS, SyncError, SyncFailure};

use crate::gather::answers::Answers;
use crate::gather::gather;
use crate::host::{Event, Host};
use crate::inspect;
use crate::manifest::{Manifest, Publisher};
use crate::no_dumps::NoDumps;
use crate::outcome::{AskedSource, Outcome, Rehearsal};
use crate::owners::Owners;
use crate::plan::Plan;
use crate::registry::Registry;
use crate::report::{ErrorKind, WarningReport};

/// How long to sleep between two looks at a lock that another run holds.
const POLL: Duration = Duration::from_millis(50);

/// How much longer than a whole gathering to wait for another run, unless told otherwise.
const WAIT_BEYOND_GATHERING: Duration = Duration::from_secs(30);

/// What to know of a flip that is not known to be durable.
const UNSETTLED: &str =
    "the new set is current and complete; until a run succeeds, a power cut may bring back the old one";

/// What to know of a flip that readers do not see.
const MISPLACED: &str =
    "the set was published where the path led when the run began; run `secretdir sync` again";

/// Gathers everything, and publishes it if it differs from what is published.
///
/// Waits up to `wait` for another run: by default for the timeout of a gathering and 30 seconds more. If the files that the
/// plan was made of have changed by then, they are read again. Safe to drop at any await: what is staged is removed then,
/// and the lock given back.
///
/// # Errors
///
/// Whatever failed before the flip; see [`SyncError`].
pub async fn sync(
    plan: &Plan,
    registry: &Registry,
    host: &dyn Host,
    wait: Option<Duration>,
) -> Result<Outcome, SyncFailure> {
    let begun = host.clock().now();
    let mut renewed = None;
    for _ in 0..RENEWALS {
        let current: &Plan = renewed.as_ref().unwrap_or(plan);
        match attempt(current, host, wait, begun).await? {
            Attempt::Done(outcome) => return Ok(*outcome),
            Attempt::Outdated => {
                tracing::info!("the configuration has changed: reading it again");
                let fresh = current.renewed(registry);
                renewed = Some(fresh.map_err(|error| SyncFailure::new(error, Vec::new()))?);
            }
        }
    }
    Err(SyncFailure::new(SyncError::KeepsChanging, Vec::new()))
}

/// How an attempt ended.
enum Attempt {
    Done(Box<Outcome>),
    /// The configuration is not what the plan was made of any more. Nothing was asked, and nothing published.
    Outdated,
}

async fn attempt(
    plan: &Plan,
    host: &dyn Host,
    wait: Option<Duration>,
    begun: Duration,
) -> Result<Attempt, SyncFailure> {
    let warnings = || plan.warning_reports();
    let failed = |error: SyncError| SyncFailure::new(error, warnings());
    let owners = owners(plan).map_err(failed)?;
    let opened = options(plan, &owners, host).open(&plan.link);
    let dir = opened.map_err(|error| failed(error.into()))?;
    let run = Run { plan, host, dir: &dir };
    let wait = wait.unwrap_or(run.longest_wait()).saturating_sub(host.clock().now().saturating_sub(begun));
    let locked = run.lock(wait).await;
    let locked = locked.map_err(|error| failed(error.into()))?;
    if plan.is_outdated() {
        return Ok(Attempt::Outdated);
    }
    let (locked, mut outcome) = run.publish(locked, &owners).await?;
    Announcing { run: &run, outcome: &mut outcome }.announce(locked).await;
    Ok(Attempt::Done(Box::new(outcome)))
}

/// Asks every source for everything, and publishes nothing.
///
/// # Errors
///
/// Every secret that could not be fetched, every import that cannot be made, or every file that cannot.
pub async fn fetch(plan: &Plan, host: &dyn Host) -> Result<Rehearsal, SyncFailure> {
    let Complete { no_dumps: _until_the_end, bundle, mut warnings, .. } =
        gathered(plan, host, Vec::new()).await.map_err(|failure| failure.with_warnings_of(plan))?;
    warnings.extend(bundle.overridden().iter().cloned().map(WarningReport::from));
    Ok(Rehearsal { file_count: bundle.len(), warnings })
}

/// Asks every source for everything, and says what [`sync`] would change. Takes no lock and publishes nothing.
///
/// # Errors
///
/// Whatever keeps a set from being gathered, or the published one from being read.
pub async fn diff(plan: &Plan, host: &dyn Host) -> Result<Difference, SyncFailure> {
    let owners = owners(plan).map_err(|error| SyncFailure::new(error, plan.warning_reports()))?;
    let Complete { no_dumps: _until_the_end, answers, bundle, warnings } =
        gathered(plan, host, plan.warning_reports()).await?;
    let found = Difference::find(plan, &answers, &bundle, &owners, &options(plan, &owners, host));
    let mut difference = found.map_err(|error| SyncFailure::new(error, warnings.clone()))?;
    difference.warnings = warnings;
    Ok(difference)
}

/// All that is to be published, in memory.
struct Complete<'p> {
    answers: Answers,
    bundle: Bundle<'p>,
    warnings: Vec<WarningReport>,
    /// Last, so that it is dropped last; and named first where this is taken apart, for the same reason.
    no_dumps: NoDumps,
}

/// Gathers, and makes every file. What was warned of is told also when that fails.
async fn gathered<'p>(
    plan: &'p Plan,
    host: &dyn Host,
    mut warnings: Vec<WarningReport>,
) -> Result<Complete<'p>, SyncFailure> {
    let no_dumps = NoDumps::begin();
    let gathered = gather(plan, host).await;
    warnings.extend(gathered.warnings.into_iter().map(WarningReport::from));
    let answers = match gathered.result {
        Ok(answers) => answers,
        Err(faults) => return Err(SyncFailure::new(GatherError::of_faults(plan, faults), warnings)),
    };
    match Bundle::assemble(plan, &answers).await {
        Ok(bundle) => Ok(Complete { answers, bundle, warnings, no_dumps }),
        Err(error) => Err(SyncFailure::new(error, warnings)),
    }
}

/// Looks up every owner. Those whom the system does not know are mistakes in the configuration: each is told with its line.
fn owners(plan: &Plan) -> Result<Owners, SyncError> {
    Owners::resolve(plan)
        .map_err(|error| inspect::owners(plan).map_or_else(SyncError::UnknownOwners, |()| error.into()))
}

fn options(plan: &Plan, owners: &Owners, host: &dyn Host) -> Options {
    let clock = host.clock();
    let options = Options::new()
        .clock(move || clock.date())
        .retain(plan.retain)
        .durability(plan.durability)
        .parents(plan.parents);
    options.directory(owners.attributes(&plan.directory))
}

/// A run under way.
pub(crate) struct Run<'r> {
    pub(crate) plan: &'r Plan,
    pub(crate) host: &'r dyn Host,
    pub(crate) dir: &'r AtomicDir,
}

impl Run<'_> {
    /// Returns how long another run may take that goes as it should.
    pub(crate) fn longest_wait(&self) -> Duration {
        self.plan.gather.timeout + WAIT_BEYOND_GATHERING
    }

    pub(crate) async fn lock(&self, wait: Duration) -> Result<Locked, atomicdir::Error> {
        let deadline = Deadline::after(wait, self.host.clock());
        let mut told = false;
        loop {
            let is_late = deadline.has_passed();
            match self.dir.try_lock() {
                Err(error) if error.is_busy() && !is_late => {}
                tried => return tried,
            }
            if !std::mem::replace(&mut told, true) {
                self.host.event(Event::Waiting);
            }
            self.host.sleep(POLL).await;
        }
    }

    /// Gathers, compares, and publishes what differs. No secret outlives this: the command may take its time.
    async fn publish(&self, mut locked: Locked, owners: &Owners) -> Result<(Locked, Outcome), SyncFailure> {
        let Complete { no_dumps: _until_the_end, answers, bundle, warnings } =
            gathered(self.plan, self.host, self.plan.warning_reports()).await?;
        let published = self.publish_bundle(&mut locked, owners, &bundle, &answers);
        match published {
            Ok(mut outcome) => {
                outcome.warnings.splice(0..0, warnings);
                Ok((locked, outcome))
            }
            Err(error) => Err(SyncFailure { error, warnings, leftover: locked.take_leftover() }),
        }
    }

    fn publish_bundle(
        &self,
        locked: &mut Locked,
        owners: &Owners,
        bundle: &Bundle<'_>,
        answers: &Answers,
    ) -> Result<Outcome, SyncError> {
        let files = bundle.files(owners);
        let comparison = locked.compare(&files)?;
        let mut outcome = Outcome::new(&self.plan.link, &comparison, files.len());
        outcome.sources = self.asked(answers);
        outcome.left_out.clone_from(&bundle.left_out);
        outcome.defaulted.clone_from(&bundle.defaulted);
        outcome.swept(locked.sweep());
        let manifest = self.manifest(bundle, answers);
        let noted = noted(locked);
        self.warn_of_another_publisher(noted.as_ref(), &mut outcome);
        if !comparison.is_same() {
            self.flip(locked, &manifest, &files, &mut outcome)?;
            return Ok(outcome);
        }
        if let Some(error) = locked.unsettled() {
            outcome.failed_at_step(ErrorKind::NotDurable, error, Some(UNSETTLED));
        }
        self.renew_note(locked, noted, manifest, &mut outcome);
        Ok(outcome)
    }

    fn asked(&self, answers: &Answers) -> Vec<AskedSource> {
        let sources = self.plan.sources.iter().zip(&answers.sources);
        let asked = sources.map(|(source, answered)| {
            let secrets = &answered.secrets;
            let mut origins: Vec<String> = Vec::new();
            for origin in secrets.iter().flatten().filter_map(|secret| secret.origin()) {
                if !origins.iter().any(|known| known == origin) {
                    origins.push(origin.to_owned());
                }
            }
            let secret_count = secrets.iter().flatten().count();
            AskedSource { name: source.name.clone(), secret_count, origins }
        });
        asked.collect()
    }

    fn manifest(&self, bundle: &Bundle<'_>, answers: &Answers) -> Manifest {
        let publisher = Publisher::of(self.plan);
        Manifest::new(self.plan.on_change.is_some(), publisher, bundle.manifest(answers).collect())
    }

    /// Two configurations that publish at one link take turns in replacing each other's set.
    fn warn_of_another_publisher(&self, noted: Option<&Manifest>, outcome: &mut Outcome) {
        let publisher = noted.and_then(|manifest| manifest.publisher.as_ref());
        let Some(ours) = Publisher::of(self.plan) else { return };
        if let Some(other) = publisher.filter(|other| **other != ours) {
            let without = if other.config == ours.config && other.profile.is_none() {
                " without a profile"
            } else {
                ""
            };
            let warning = format!(
                "what was published at `{}` came from {other}{without}: if both go on publishing there, each replaces the set of the other",
                self.plan.link.display()
            );
            outcome.warnings.push(warning.into());
        }
    }

    /// Notes where the files came from this time: the same bytes may have come from another source, or have another revision.
    /// Whether the change has been announced stays as it is, unless there is no command any more.
    fn renew_note(&self, locked: &Locked, noted: Option<Manifest>, fresh: Manifest, outcome: &mut Outcome) {
        let fresh = match &noted {
            Some(noted) if self.plan.on_change.is_some() => fresh.with_announcement_of(noted),
            _ => fresh,
        };
        if noted.as_ref() == Some(&fresh) {
            return;
        }
        if let Err(error) = replace_unclaimed(locked, &fresh) {
            outcome.warnings.push(WarningReport::deferred(&error));
        }
    }

    /// Stages and flips. An interruption is heeded between two files; after the last one the flip is as quick as giving up.
    fn flip(
        &self,
        locked: &mut Locked,
        manifest: &Manifest,
        files: &FileMap<NewFile<'_>>,
        outcome: &mut Outcome,
    ) -> Result<(), SyncError> {
        self.host.event(Event::Publishing { files: files.len() });
        let mut staging = locked.stage()?;
        for (name, file) in files.iter() {
            self.heed_interruption()?;
            staging.write(name, *file)?;
        }
        self.heed_interruption()?;
        let published = staging.publish(Some(&manifest.to_note()))?;
        outcome.swept(&published.sweep);
        for (kind, error, hint) in [
            (ErrorKind::PathMoved, &published.misplaced, MISPLACED),
            (ErrorKind::NotDurable, &published.unsettled, UNSETTLED),
        ] {
            error.iter().for_each(|error| outcome.failed_at_step(kind, error, Some(hint)));
        }
        Ok(())
    }

    fn heed_interruption(&self) -> Result<(), SyncError> {
        if self.host.interrupted() { Err(SyncError::Interrupted) } else { Ok(()) }
    }
}

/// Reads what is noted of the current generation: `None` where nothing is, or nothing that can be read.
fn noted(locked: &Locked) -> Option<Manifest> {
    Manifest::parse(&locked.note().ok().flatten()?)
}

/// Replaces the note, unless another run is running the command for it: that one holds the note, and a new one could be
/// claimed beside it. The next run renews it.
fn replace_unclaimed(locked: &Locked, fresh: &Manifest) -> Result<(), atomicdir::Error> {
    let is_there = locked.note()?.is_some();
    let claim = locked.claim_note()?;
    if is_there && claim.is_none() { Ok(()) } else { locked.replace_note(&fresh.to_note()) }
}
