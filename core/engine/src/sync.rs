//! One run: lock, heal, gather, compare, stage, publish, retire, notify.
//!
//! The lock is taken before gathering, so that an older run can never publish over a newer one. An older configuration must
//! not replace a newer one either. So a run that may have waited for the lock checks whether the files of its plan have
//! changed. If they have, it starts again with their current content.
//!
//! Until the flip, every failure is an error, and the published set stays. After the flip, failures are part of the
//! outcome.

use std::collections::BTreeSet;
use std::time::Duration;

use atomicdir::{Locked, Options};
use secretdir_provider::SourceErrorKind::{TimedOut, Unauthenticated, Unavailable};

use crate::bundle::Bundle;
use crate::escape::escape;
use crate::failure::{GatherError, MAX_RELOADS, SyncError, SyncFailure};
use crate::gather::answers::Answers;
use crate::gather::gather;
use crate::gather::holdings::{HeldSecrets, Lease};
use crate::gather::issuing::Purpose;
use crate::host::Host;
use crate::inspect;
use crate::outcome::difference::Difference;
use crate::outcome::{DryRun, Outcome, Summary};
use crate::plan::Plan;
use crate::publish::announce::Announcing;
use crate::publish::leases;
use crate::publish::manifest::Manifest;
use crate::publish::no_dumps::NoDumps;
use crate::publish::owners::Owners;
use crate::publish::publication::Publication;
use crate::publish::run::{self, Run};
use crate::registry::Registry;
use crate::report::WarningReport;

/// Fetches all secrets, and publishes them if the set has changed.
///
/// Waits up to `wait` for another run. The default is the timeout of a gathering plus 30 seconds. If the files of the plan
/// have changed by then, they are read again. You can drop the future at any await: staged files are removed, and the lock
/// is released.
///
/// # Errors
///
/// The reason why the run failed before the flip; see [`SyncError`].
pub async fn sync(
    plan: &Plan,
    registry: &Registry,
    host: &dyn Host,
    wait: Option<Duration>,
) -> Result<Outcome, SyncFailure> {
    let begun = host.clock().now();
    let mut renewed = None;
    for _ in 0..MAX_RELOADS {
        let current: &Plan = renewed.as_ref().unwrap_or(plan);
        let attempted = attempt(current, host, wait, begun, OutdatedPlan::Refused).await;
        leases::close(current, host).await;
        match attempted? {
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

/// Makes one turn of `watch`, which has already checked the configuration. If it changes while the run waits for the lock,
/// the run ends with an error: an older configuration must never replace a newer one.
pub(crate) async fn turn(
    plan: &Plan,
    host: &dyn Host,
    outdated: OutdatedPlan,
) -> Result<Outcome, SyncFailure> {
    match attempt(plan, host, None, host.clock().now(), outdated).await? {
        Attempt::Done(outcome) => Ok(*outcome),
        Attempt::Outdated => Err(SyncFailure::new(SyncError::Outdated, Vec::new())),
    }
}

/// Whether a run may use a plan whose files have changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutdatedPlan {
    Refused,
    /// The files are invalid now, so the old plan is used.
    Allowed,
}

/// How an attempt ended.
enum Attempt {
    Done(Box<Outcome>),
    /// The configuration has changed since the plan was made. Nothing was fetched or published.
    Outdated,
}

async fn attempt(
    plan: &Plan,
    host: &dyn Host,
    wait: Option<Duration>,
    begun: Duration,
    outdated: OutdatedPlan,
) -> Result<Attempt, SyncFailure> {
    let warnings = || plan.warning_reports();
    let failed = |error: SyncError| SyncFailure::new(error, warnings());
    let owners = owners(plan).map_err(failed)?;
    let opened = options(plan, &owners, host).open(&plan.link);
    let dir = opened.map_err(|error| failed(error.into()))?;
    let run = Run { plan, host, dir: &dir };
    let wait =
        wait.unwrap_or(run::longest_wait(plan)).saturating_sub(host.clock().now().saturating_sub(begun));
    let locked = run.lock(wait).await;
    let locked = locked.map_err(|error| failed(error.into()))?;
    if outdated == OutdatedPlan::Refused && plan.is_outdated() {
        return Ok(Attempt::Outdated);
    }
    let (locked, summary, mut publication) = publish(&run, locked, &owners).await?;
    Announcing { run: &run, publication: &mut publication }.announce(locked).await;
    Ok(Attempt::Done(Box::new(Outcome::new(plan, summary, publication))))
}

/// Gathers, and publishes the set if it differs. All secrets are dropped at the end, before the command of `[on-change]`
/// runs, which may take long.
async fn publish(
    run: &Run<'_>,
    mut locked: Locked,
    owners: &Owners,
) -> Result<(Locked, Summary, Publication), SyncFailure> {
    let noted = run::noted(&locked);
    let holdings = run::holdings(run.plan, noted.as_ref(), &options(run.plan, owners, run.host));
    let warnings = run.plan.warning_reports();
    let gathered = gathered(run.plan, run.host, warnings, Purpose::Publish, holdings).await;
    let Complete { no_dumps: _until_the_end, answers, bundle, mut warnings } = match gathered {
        Ok(complete) => complete,
        Err((mut failure, issued)) => {
            let notes = locked.sweep().removed_notes();
            failure.warnings.extend(revoke_unused(run, &locked, notes, &issued, &down(&failure.error)).await);
            return Err(failure);
        }
    };
    // A note may be replaced even if no file changes.
    let before = noted.as_ref().filter(|noted| noted.has_leases()).map(Manifest::to_note);
    match run.publish(&mut locked, owners, &bundle, &answers, noted).await {
        Ok(mut publication) => {
            let mut notes = std::mem::take(&mut publication.removed_notes);
            notes.extend(before);
            warnings.extend(revoke_unused(run, &locked, &notes, &answers.issued, &BTreeSet::new()).await);
            publication.superseded_count = locked.superseded().len() + publication.pinned_count;
            publication.warnings.splice(0..0, warnings);
            Ok((locked, Summary::of(run.plan, &answers, bundle), publication))
        }
        Err(fault) => {
            let notes = locked.sweep().removed_notes();
            warnings.extend(revoke_unused(run, &locked, notes, &answers.issued, &BTreeSet::new()).await);
            Err(SyncFailure { error: fault.into(), warnings, leftover: locked.take_leftover() })
        }
    }
}

/// Revokes the leases that are no longer used: those of these notes, and those that this run received but did not publish.
async fn revoke_unused(
    run: &Run<'_>,
    locked: &Locked,
    notes: &[Vec<u8>],
    issued: &[Lease],
    down: &BTreeSet<String>,
) -> Vec<WarningReport> {
    let leases = leases::freed(locked, run.plan, notes, issued);
    leases::release(run.plan, run.host, &leases, down).await
}

/// Returns the sources that could not be reached or did not accept the credentials.
fn down(error: &SyncError) -> BTreeSet<String> {
    let SyncError::Gather(error) = error else { return BTreeSet::new() };
    let failures = error.failures().iter().filter(|failure| {
        let kind = failure.kind();
        kind.is_some_and(|kind| matches!(kind, Unauthenticated | Unavailable | TimedOut))
    });
    failures.filter_map(|failure| failure.source_name().map(str::to_owned)).collect()
}

/// Fetches all secrets and makes the files, but publishes nothing.
///
/// # Errors
///
/// Every secret that could not be fetched, every import that failed, and every file that could not be made.
pub async fn fetch(plan: &Plan, host: &dyn Host) -> Result<DryRun, SyncFailure> {
    let gathered = gathered(plan, host, Vec::new(), Purpose::ReadOnly, HeldSecrets::default()).await;
    leases::close(plan, host).await;
    let Complete { no_dumps: _until_the_end, answers, bundle, mut warnings } =
        gathered.map_err(|(failure, _)| failure.with_warnings_of(plan))?;
    warnings.extend(not_made(plan, &answers));
    warnings.extend(bundle.overridden().iter().cloned().map(WarningReport::from));
    Ok(DryRun { file_count: bundle.len(), warnings })
}

/// Fetches all secrets, and returns the changes that [`sync`] would make. It takes no lock and publishes nothing.
///
/// # Errors
///
/// The reason why the set cannot be gathered, or why the published one cannot be read.
pub async fn diff(plan: &Plan, host: &dyn Host) -> Result<Difference, SyncFailure> {
    let owners = owners(plan).map_err(|error| SyncFailure::new(error, plan.warning_reports()))?;
    let options = options(plan, &owners, host);
    let noted = plan.issuing().next().and_then(|_| published_note(plan));
    let holdings = run::holdings(plan, noted.as_ref(), &options);
    let (purpose, warnings) = (Purpose::ReadOnly, plan.warning_reports());
    let gathered = gathered(plan, host, warnings, purpose, holdings).await;
    leases::close(plan, host).await;
    let Complete { no_dumps: _until_the_end, answers, bundle, warnings } =
        gathered.map_err(|(failure, _)| failure)?;
    let now = host.clock().date();
    let found = Difference::find(plan, &answers, &bundle, &owners, options, now);
    let mut difference = found.map_err(|error| SyncFailure::new(error, warnings.clone()))?;
    difference.warnings = warnings;
    Ok(difference)
}

/// Returns a warning for each secret that was not requested, because the store would have issued it.
fn not_made(plan: &Plan, answers: &Answers) -> Vec<WarningReport> {
    let unasked = answers.unasked.iter().filter_map(|id| {
        let (source, request) = (plan.sources.get(id.source)?, plan.request(*id)?);
        let (source, secret) = (&source.name, escape(request.name()));
        let text = format!(
            "secret `{secret}` of source `{source}` was not asked for: the store would issue it anew"
        );
        Some(WarningReport::from(text))
    });
    unasked.collect()
}

/// Reads the note of the published set, as far as this user may.
fn published_note(plan: &Plan) -> Option<Manifest> {
    let status = plan.location().status().ok()?;
    Manifest::parse(status.current?.note.as_deref()?)
}

/// A complete set in memory, ready to be published.
struct Complete<'p> {
    answers: Answers,
    bundle: Bundle<'p>,
    warnings: Vec<WarningReport>,
    /// The last field, so that it is dropped last. For the same reason it comes first where this type is destructured.
    no_dumps: NoDumps,
}

/// Gathers the secrets and makes every file. If that fails, the error includes the warnings and the leases received so far.
async fn gathered<'p>(
    plan: &'p Plan,
    host: &dyn Host,
    mut warnings: Vec<WarningReport>,
    purpose: Purpose,
    holdings: HeldSecrets,
) -> Result<Complete<'p>, (SyncFailure, Vec<Lease>)> {
    let no_dumps = NoDumps::begin();
    let gathered = gather(plan, host, purpose, holdings).await;
    warnings.extend(gathered.warnings.into_iter().map(WarningReport::from));
    let answers = match gathered.result {
        Ok(answers) => answers,
        Err(faults) => {
            let error = GatherError::of_faults(plan, faults);
            return Err((SyncFailure::new(error, warnings), gathered.issued));
        }
    };
    match Bundle::assemble(plan, &answers).await {
        Ok(bundle) => Ok(Complete { answers, bundle, warnings, no_dumps }),
        Err(faults) => {
            let error = GatherError::of_bundle_faults(plan, faults);
            Err((SyncFailure::new(error, warnings), answers.issued))
        }
    }
}

/// Looks up every owner. Unknown owners are errors of the configuration, each with its line.
pub(crate) fn owners(plan: &Plan) -> Result<Owners, SyncError> {
    Owners::resolve(plan)
        .map_err(|error| inspect::owners(plan).map_or_else(SyncError::UnknownOwners, |()| error.into()))
}

pub(crate) fn options(plan: &Plan, owners: &Owners, host: &dyn Host) -> Options {
    let clock = host.clock();
    let options = Options::new()
        .clock(move || clock.date())
        .retain(plan.retain)
        .durability(plan.durability)
        .parents(plan.parents);
    options.directory(owners.attributes(&plan.directory))
}
