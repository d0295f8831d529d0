//! One run: lock, heal, gather, compare, stage, publish, retire, notify.
//!
//! The lock is taken before gathering, so that an older run can never publish over a newer one. Until the flip every
//! failure is an error and the published set is what it was; after it, failures are part of the outcome.

use std::time::Duration;

use atomicdir::{AtomicDir, File, FileMap, Id, Locked, Options};
use tokio::time::{Instant, sleep};

use crate::bundle::Bundle;
use crate::difference::Difference;
use crate::gather::{Answers, GatherError, gather};
use crate::host::{Event, Host};
use crate::manifest::{Announcement, Manifest};
use crate::on_change;
use crate::outcome::{AskedSource, Notification, Outcome};
use crate::owners::{OwnerError, Owners};
use crate::plan::{OnChange, Plan};
use crate::report::describe;

/// How long to sleep between two looks at a lock that another run holds.
const POLL: Duration = Duration::from_millis(50);

/// How much longer than a whole gathering to wait for another run, unless told otherwise.
const WAIT_BEYOND_GATHERING: Duration = Duration::from_secs(30);

/// What to know of a flip that is not known to be durable.
const UNSETTLED: &str =
    "the new set is current and complete; until a run succeeds, a power cut may bring back the old one";

/// What to know of a command that failed.
const REPEATED: &str = "the new set is current; the next run repeats the command";

/// Why a run failed. What was published before is still there, untouched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// Files cannot be given to an owner that the configuration names.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// A source failed.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// Publishing failed, or another run held the lock for too long.
    #[error(transparent)]
    Publish(#[from] atomicdir::Error),
    /// The host asked for the end.
    #[error("interrupted")]
    Interrupted,
}

/// Gathers everything, and publishes it if it differs from what is published.
///
/// Waits up to `wait` for another run: by default for the timeout of a gathering and 30 seconds more. Safe to drop at
/// any await: what is staged is removed then, and the lock given back.
///
/// # Errors
///
/// Whatever failed before the flip; see [`SyncError`].
pub async fn sync(plan: &Plan, host: &dyn Host, wait: Option<Duration>) -> Result<Outcome, SyncError> {
    let owners = Owners::resolve(plan)?;
    let dir = options(plan, &owners).open(&plan.link)?;
    let run = Run { plan, host, dir: &dir };
    let locked = run.lock(wait.unwrap_or(run.longest_wait())).await?;
    let (locked, mut outcome) = run.publish(locked, &owners).await?;
    run.announce(locked, &mut outcome).await;
    Ok(outcome)
}

/// What there is to publish.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rehearsal {
    /// How many files there would be.
    pub files: usize,
    /// What a person should know; also which file of `[files]` wins over an import.
    pub warnings: Vec<String>,
}

/// Asks every source for everything, and publishes nothing.
///
/// # Errors
///
/// Every secret that could not be fetched, every import that cannot be made, or every file that cannot.
pub async fn fetch(plan: &Plan, host: &dyn Host) -> Result<Rehearsal, GatherError> {
    let answers = gather(plan, host).await?;
    let bundle = Bundle::assemble(plan, &answers).await?;
    let warnings = answers.warnings.iter().chain(bundle.overridden()).cloned();
    Ok(Rehearsal { files: bundle.len(), warnings: warnings.collect() })
}

/// Asks every source for everything, and says what [`sync`] would change. Takes no lock and publishes nothing.
///
/// # Errors
///
/// Whatever keeps a set from being gathered, or the published one from being read.
pub async fn diff(plan: &Plan, host: &dyn Host) -> Result<Difference, SyncError> {
    let owners = Owners::resolve(plan)?;
    let answers = gather(plan, host).await?;
    let bundle = Bundle::assemble(plan, &answers).await?;
    let mut difference = Difference::find(plan, &answers, &bundle, &owners)?;
    let of_plan = plan.warnings.iter().map(ToString::to_string);
    difference.warnings = of_plan.chain(answers.warnings).collect();
    Ok(difference)
}

fn options(plan: &Plan, owners: &Owners) -> Options {
    let options = Options::new().retain(plan.retain).durability(plan.durability);
    options.directory(owners.attributes(&plan.directory))
}

/// A run under way.
struct Run<'r> {
    plan: &'r Plan,
    host: &'r dyn Host,
    dir: &'r AtomicDir,
}

impl<'r> Run<'r> {
    /// Returns how long another run may take that goes as it should.
    fn longest_wait(&self) -> Duration {
        self.plan.gather.timeout + WAIT_BEYOND_GATHERING
    }

    async fn lock(&self, wait: Duration) -> Result<Locked<'r>, atomicdir::Error> {
        let deadline = Instant::now().checked_add(wait);
        let mut told = false;
        loop {
            if let Some(locked) = self.dir.try_lock(&|| self.host.now())? {
                return Ok(locked);
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(self.dir.busy());
            }
            if !std::mem::replace(&mut told, true) {
                self.host.event(Event::Waiting);
            }
            sleep(POLL).await;
        }
    }

    /// Gathers, compares, and publishes what differs. No secret outlives this: the command may take its time.
    async fn publish(
        &self,
        mut locked: Locked<'r>,
        owners: &Owners,
    ) -> Result<(Locked<'r>, Outcome), SyncError> {
        let answers = gather(self.plan, self.host).await?;
        let bundle = Bundle::assemble(self.plan, &answers).await?;
        let files = bundle.files(owners);
        let comparison = locked.compare(&files)?;
        let mut outcome = Outcome::new(&self.plan.link, &comparison, files.len());
        outcome.sources = self.asked(&answers);
        outcome.left_out.clone_from(&bundle.left_out);
        outcome.defaulted.clone_from(&bundle.defaulted);
        outcome.warnings = self.warnings(&answers);
        outcome.swept(locked.sweep());
        if !comparison.is_same() {
            let manifest = self.manifest(&bundle, &answers);
            self.flip(&mut locked, &manifest, &files, &mut outcome)?;
        } else if let Some(error) = locked.unsettled() {
            outcome.failed(error, Some(UNSETTLED));
        }
        Ok((locked, outcome))
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
            AskedSource { name: source.name.clone(), secrets: secrets.iter().flatten().count(), origins }
        });
        asked.collect()
    }

    fn warnings(&self, answers: &Answers) -> Vec<String> {
        let of_plan = self.plan.warnings.iter().map(ToString::to_string);
        let of_sources = answers.warnings.iter().cloned();
        of_plan.chain(self.dir.warnings().iter().map(ToString::to_string)).chain(of_sources).collect()
    }

    fn manifest(&self, bundle: &Bundle<'_>, answers: &Answers) -> Manifest {
        let on_change = self.plan.on_change.as_ref().map(|_| Announcement::Pending);
        Manifest { on_change, files: bundle.manifest(answers).collect() }
    }

    /// Tells whom the configuration names that the set has changed, if it has not been told.
    async fn announce(&self, locked: Locked<'r>, outcome: &mut Outcome) {
        let current = locked.current().cloned();
        outcome.generation = current.as_ref().map(ToString::to_string).unwrap_or_default();
        match (&self.plan.on_change, current) {
            (Some(on_change), Some(id)) => self.notify(on_change, &id, locked, outcome).await,
            _ => self.succeed(locked, outcome),
        }
    }

    /// Stages and flips. An interruption is heeded between two files; after the last one the flip is as quick as giving up.
    fn flip(
        &self,
        locked: &mut Locked<'_>,
        manifest: &Manifest,
        files: &FileMap<File<'_>>,
        outcome: &mut Outcome,
    ) -> Result<(), SyncError> {
        self.host.event(Event::Publishing { files: files.len() });
        let mut staging = locked.stage()?;
        for (name, file) in files.iter() {
            self.heed_interruption()?;
            staging.write(name, *file)?;
        }
        self.heed_interruption()?;
        let published = staging.publish(Some(&manifest.to_note()), &|| self.host.now())?;
        outcome.swept(&published.sweep);
        if let Some(error) = &published.unsettled {
            outcome.failed(error, Some(UNSETTLED));
        }
        Ok(())
    }

    fn heed_interruption(&self) -> Result<(), SyncError> {
        if self.host.interrupted() { Err(SyncError::Interrupted) } else { Ok(()) }
    }

    /// Runs the command if the current generation has not been announced, and notes its success.
    async fn notify(&self, on_change: &OnChange, id: &Id, locked: Locked<'r>, outcome: &mut Outcome) {
        let claim = match self.claim_pending(id, &locked) {
            Ok(Claim::Mine(claim)) => claim,
            Ok(Claim::NothingToDo) => {
                outcome.on_change = Notification::NotNeeded;
                return self.succeed(locked, outcome);
            }
            Ok(Claim::Others) => {
                outcome.on_change = Notification::RunningElsewhere;
                return outcome
                    .warnings
                    .push("another run is still running the on-change command".to_owned());
            }
            Err(error) => {
                outcome.on_change = Notification::Pending;
                return outcome.failed(&error, error.hint());
            }
        };
        drop(locked);
        outcome.on_change = Notification::Pending;
        self.host.event(Event::Notifying);
        if let Err(error) = on_change::run(on_change, &self.plan.link, self.host).await {
            let hint = error.hint().map_or(REPEATED.to_owned(), |hint| format!("{hint}; {REPEATED}"));
            return outcome.failed(&error, Some(&hint));
        }
        match self.note_success(id, outcome).await {
            Ok(()) => outcome.on_change = Notification::Succeeded,
            Err(error) => {
                outcome.failed(&error, Some("the command succeeded, but the next run may repeat it"))
            }
        }
        drop(claim);
    }

    /// Reads the note and claims it while the lock is held, so that whoever clears it is either before or after.
    ///
    /// A note that is gone or cannot be read does not say that the change was announced, so it counts as pending.
    fn claim_pending(&self, id: &Id, locked: &Locked<'_>) -> Result<Claim, atomicdir::Error> {
        match self.dir.note(id)?.as_deref().and_then(Manifest::parse) {
            Some(manifest) if !manifest.is_pending() => return Ok(Claim::NothingToDo),
            Some(_) => {}
            None => locked.replace_note(&Manifest::pending().to_note())?,
        }
        Ok(self.dir.claim_note(id)?.map_or(Claim::Others, Claim::Mine))
    }

    /// Notes that the command has succeeded, unless another generation is current by now: its own note speaks for it.
    async fn note_success(&self, id: &Id, outcome: &mut Outcome) -> Result<(), atomicdir::Error> {
        // Whoever may not wait to begin may wait here: the work is done, and only has to be put on record.
        let locked = self.lock(self.longest_wait()).await?;
        if locked.current() == Some(id)
            && let Some(note) = self.dir.note(id)?
        {
            let manifest = Manifest::parse(&note).unwrap_or_default();
            let manifest = Manifest { on_change: Some(Announcement::Done), ..manifest };
            locked.replace_note(&manifest.to_note())?;
        }
        self.succeed(locked, outcome);
        Ok(())
    }

    /// Notes the time of a run in which nothing failed.
    fn succeed(&self, locked: Locked<'_>, outcome: &mut Outcome) {
        if !outcome.failures.is_empty() {
            return;
        }
        if let Err(error) = locked.succeed(self.host.now()) {
            outcome.deferred.push(describe(&error));
        }
    }
}

/// Who runs the command.
enum Claim {
    Mine(atomicdir::NoteClaim),
    Others,
    NothingToDo,
}
