//! A run that holds the lock. It compares, stages and flips, and writes the note with the origins of the files.

use std::collections::BTreeSet;
use std::time::Duration;

use atomicdir::{AtomicDir, FileMap, FileName, Locked, NewFile, Options, Staging};
use secretdir_provider::Deadline;

use super::holding::HeldSecretFinder;
use super::hook::{self, Hook, HookError};
use super::life::{self, FileStamp};
use super::manifest::{Manifest, Publisher};
use super::manifest_builder::ManifestBuilder;
use super::owners::Owners;
use super::publication::Publication;
use crate::bundle::Bundle;
use crate::escape::escape;
use crate::gather::answers::Answers;
use crate::gather::holdings::HeldSecrets;
use crate::host::{Event, Host};
use crate::plan::Plan;
use crate::report::{ErrorKind, WarningReport};

/// The polling interval for a lock that another run holds.
const POLL: Duration = Duration::from_millis(50);

/// By default, a run waits for another one as long as a whole gathering may take, and this much longer.
const WAIT_BEYOND_GATHERING: Duration = Duration::from_secs(30);

/// The hint for a flip that may not be durable.
const UNSETTLED: &str =
    "the new set is current and complete; until a run succeeds, a power cut may bring back the old one";

/// The hint for a flip that readers do not see.
pub(super) const MISPLACED: &str = "the set was published in the directory that the path led to when the run began; run `secretdir sync` again";

/// A run in progress.
pub(crate) struct Run<'r> {
    pub(crate) plan: &'r Plan,
    pub(crate) host: &'r dyn Host,
    pub(crate) dir: &'r AtomicDir,
}

/// The reason why nothing was published.
pub(crate) enum PublishFault {
    Publish(atomicdir::Error),
    /// The command of `[verify]` refused the set, or could not be run to its end.
    Verify(HookError),
    /// The host asked the run to end.
    Interrupted,
}

impl From<HookError> for PublishFault {
    fn from(error: HookError) -> Self {
        Self::Verify(error)
    }
}

impl From<atomicdir::Error> for PublishFault {
    fn from(error: atomicdir::Error) -> Self {
        Self::Publish(error)
    }
}

impl Run<'_> {
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

    /// Compares the bundle with the published set, and publishes it if it differs. `noted` is the note of the current
    /// generation.
    pub(crate) async fn publish(
        &self,
        locked: &mut Locked,
        owners: &Owners,
        bundle: &Bundle<'_>,
        answers: &Answers,
        noted: Option<Manifest>,
    ) -> Result<Publication, PublishFault> {
        let files = owners.files(bundle);
        let mut publication = Publication::new(locked.compare(&files)?);
        publication.swept(locked.sweep());
        let mut manifest = self.manifest(bundle, answers);
        self.warn_of_another_publisher(noted.as_ref(), &mut publication);
        if !publication.comparison.is_same() {
            self.flip(locked, &mut manifest, &files, &mut publication).await?;
            self.check_expiry(&manifest, &mut publication);
            return Ok(publication);
        }
        if let Some(error) = locked.unsettled() {
            publication.failed_at_step(ErrorKind::NotDurable, error, Some(UNSETTLED));
        }
        let manifest = match &noted {
            Some(noted) => manifest.with_lives_of(noted),
            None => manifest,
        };
        self.check_expiry(&manifest, &mut publication);
        self.renew_note(locked, noted, manifest, &mut publication);
        Ok(publication)
    }

    fn manifest(&self, bundle: &Bundle<'_>, answers: &Answers) -> Manifest {
        let publisher = Publisher::of(self.plan);
        let builder = ManifestBuilder { plan: self.plan, answers, now: self.host.clock().date() };
        let files = builder.files(bundle);
        Manifest::new(self.plan.on_change.is_some(), publisher, files)
    }

    /// Determines when the set expires, and warns about secrets that soon expire and that nothing renews.
    fn check_expiry(&self, manifest: &Manifest, publication: &mut Publication) {
        let now = self.host.clock().date();
        publication.renew_at = manifest.renew_at(now);
        publication.valid_until = manifest.valid_until();
        let mut told = BTreeSet::new();
        for (entry, life) in manifest.lives().filter(|(_, life)| life.lines.is_none() && life.is_short(now)) {
            let (source, secret) = (&entry.source, escape(&entry.secret));
            let end = humantime::format_rfc3339_seconds(life::date(life.valid_until.unwrap_or_default()));
            if told.insert((source, &entry.secret)) {
                let warning = format!(
                    "secret `{secret}` of source `{source}` is valid until {end}: less than a third of its life is left, and nothing here renews it"
                );
                publication.warnings.push(warning.into());
            }
        }
    }

    /// Warns if another configuration has published the set. Two configurations with one link replace each other's set in
    /// turns.
    fn warn_of_another_publisher(&self, noted: Option<&Manifest>, publication: &mut Publication) {
        let publisher = noted.and_then(|manifest| manifest.publisher.as_ref());
        let Some(ours) = Publisher::of(self.plan) else { return };
        if let Some(other) = publisher.filter(|other| **other != ours) {
            let without = if other.config == ours.config && other.profile.is_none() {
                " without a profile"
            } else {
                ""
            };
            let warning = format!(
                "the set at `{}` was published by {other}{without}: if both continue, each replaces the set of the other",
                self.plan.link.display()
            );
            publication.warnings.push(warning.into());
        }
    }

    /// Updates the note, because the same bytes may come from another source or have another revision now. The state of the
    /// announcement stays, unless there is no command any more.
    fn renew_note(
        &self,
        locked: &Locked,
        noted: Option<Manifest>,
        fresh: Manifest,
        publication: &mut Publication,
    ) {
        let fresh = match &noted {
            Some(noted) if self.plan.on_change.is_some() => fresh.with_announcement_of(noted),
            _ => fresh,
        };
        if noted.as_ref() == Some(&fresh) {
            return;
        }
        if let Err(error) = replace_unclaimed(locked, &fresh) {
            publication.warnings.push(WarningReport::deferred(&error));
        }
    }

    /// Stages the set and flips the link. An interruption can end the run between two files. After the last file, the flip
    /// is as quick as giving up.
    async fn flip(
        &self,
        locked: &mut Locked,
        manifest: &mut Manifest,
        files: &FileMap<NewFile<'_>>,
        publication: &mut Publication,
    ) -> Result<(), PublishFault> {
        self.host.event(Event::Publishing { files: files.len() });
        let mut staging = locked.stage()?;
        for (name, file) in files.iter() {
            self.check_interrupted()?;
            staging.write(name, *file)?;
        }
        self.check_interrupted()?;
        if let Some(verify) = &self.plan.verify {
            let set = staging.complete()?;
            self.host.event(Event::Verifying);
            hook::run(Hook::Verify, verify, &set, self.plan, self.host).await?;
            self.check_interrupted()?;
            ensure_unchanged(&staging, files, &verify.program)?;
        }
        manifest.stamp(|name| stamp(&staging, name));
        let published = staging.publish(Some(&manifest.to_note()))?;
        publication.swept(&published.sweep);
        for (kind, error, hint) in [
            (ErrorKind::PathMoved, &published.misplaced, MISPLACED),
            (ErrorKind::NotDurable, &published.unsettled, UNSETTLED),
        ] {
            error.iter().for_each(|error| publication.failed_at_step(kind, error, Some(hint)));
        }
        Ok(())
    }

    fn check_interrupted(&self) -> Result<(), PublishFault> {
        if self.host.interrupted() { Err(PublishFault::Interrupted) } else { Ok(()) }
    }
}

/// Ensures that the command of `[verify]` has not changed the set, so that the verified set is the published one.
fn ensure_unchanged(
    staging: &Staging<'_>,
    files: &FileMap<NewFile<'_>>,
    program: &str,
) -> Result<(), PublishFault> {
    match staging.compare(files)?.changes().first() {
        None => Ok(()),
        Some(change) => {
            let (program, name) = (program.to_owned(), change.name.clone());
            Err(HookError::Changed { hook: Hook::Verify, program, name }.into())
        }
    }
}

/// Returns how long another run may normally take.
pub(crate) fn longest_wait(plan: &Plan) -> Duration {
    plan.gather.timeout.saturating_add(WAIT_BEYOND_GATHERING)
}

fn stamp(staging: &Staging<'_>, name: &str) -> Option<FileStamp> {
    let name = FileName::new(name).ok()?;
    staging.metadata(&name).ok().map(|found| FileStamp::of(&found))
}

/// Returns the held secrets of the current generation that may be kept. The generation is not opened if the plan issues no
/// secrets.
pub(crate) fn holdings(plan: &Plan, noted: Option<&Manifest>, options: &Options) -> HeldSecrets {
    let (Some(noted), Some(_)) = (noted, plan.issuing().next()) else { return HeldSecrets::default() };
    match options.clone().open_snapshot(&plan.link) {
        Ok(Some(snapshot)) => HeldSecretFinder::new(plan, noted, &snapshot).holdings(),
        Ok(None) | Err(_) => HeldSecrets::default(),
    }
}

/// Reads the note of the current generation. Returns `None` if there is none, or if it cannot be read.
pub(crate) fn noted(locked: &Locked) -> Option<Manifest> {
    Manifest::parse(&locked.note().ok().flatten()?)
}

/// Replaces the note, unless another run is running the command for it. That run has claimed the note, and a new note could
/// be claimed a second time. The next run updates it.
fn replace_unclaimed(locked: &Locked, fresh: &Manifest) -> Result<(), atomicdir::Error> {
    let is_there = locked.note()?.is_some();
    let claim = locked.claim_note()?;
    if is_there && claim.is_none() { Ok(()) } else { locked.replace_note(&fresh.to_note()) }
}
