//! A run that holds the lock: it compares, stages and flips, and notes where the files came from.

use std::collections::BTreeSet;
use std::time::Duration;

use atomicdir::{AtomicDir, FileMap, FileName, Locked, NewFile, Options, Staging};
use secretdir_provider::Deadline;

use super::holding::Holder;
use super::hook::{self, Hook, HookError};
use super::life::{self, FileStamp};
use super::manifest::{Manifest, Publisher};
use super::noting::Noting;
use super::owners::Owners;
use super::publication::Publication;
use crate::bundle::Bundle;
use crate::escape::escape;
use crate::gather::answers::Answers;
use crate::gather::holdings::Holdings;
use crate::host::{Event, Host};
use crate::plan::Plan;
use crate::report::{ErrorKind, WarningReport};

/// How long to sleep between two looks at a lock that another run holds.
const POLL: Duration = Duration::from_millis(50);

/// How much longer than a whole gathering to wait for another run, unless told otherwise.
const WAIT_BEYOND_GATHERING: Duration = Duration::from_secs(30);

/// What to know of a flip that is not known to be durable.
const UNSETTLED: &str =
    "the new set is current and complete; until a run succeeds, a power cut may bring back the old one";

/// What to know of a flip that readers do not see.
pub(super) const MISPLACED: &str =
    "the set was published where the path led when the run began; run `secretdir sync` again";

/// A run under way.
pub(crate) struct Run<'r> {
    pub(crate) plan: &'r Plan,
    pub(crate) host: &'r dyn Host,
    pub(crate) dir: &'r AtomicDir,
}

/// Why nothing was published.
pub(crate) enum PublishFault {
    Publish(atomicdir::Error),
    /// The command of `[verify]` refused the set, or could not say.
    Verify(HookError),
    /// The host asked for the end.
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

    /// Compares, and publishes what differs. Takes what is noted of the current generation.
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
            self.look_ahead(&manifest, &mut publication);
            return Ok(publication);
        }
        if let Some(error) = locked.unsettled() {
            publication.failed_at_step(ErrorKind::NotDurable, error, Some(UNSETTLED));
        }
        let manifest = match &noted {
            Some(noted) => manifest.with_lives_of(noted),
            None => manifest,
        };
        self.look_ahead(&manifest, &mut publication);
        self.renew_note(locked, noted, manifest, &mut publication);
        Ok(publication)
    }

    fn manifest(&self, bundle: &Bundle<'_>, answers: &Answers) -> Manifest {
        let publisher = Publisher::of(self.plan);
        let noting = Noting { plan: self.plan, answers, now: self.host.clock().date() };
        let files = noting.files(bundle);
        Manifest::new(self.plan.on_change.is_some(), publisher, files)
    }

    /// Says until when the set is good, and warns of what is about to end although nothing renews it.
    fn look_ahead(&self, manifest: &Manifest, publication: &mut Publication) {
        let now = self.host.clock().date();
        publication.renew_at = manifest.renew_at(now);
        publication.valid_until = manifest.valid_until();
        let mut told = BTreeSet::new();
        for (entry, life) in manifest.lives().filter(|(_, life)| life.lines.is_none() && life.is_short(now)) {
            let (source, secret) = (&entry.source, escape(&entry.secret));
            let end = humantime::format_rfc3339_seconds(life::date(life.valid_until.unwrap_or_default()));
            if told.insert((source, &entry.secret)) {
                let warning = format!(
                    "secret `{secret}` of source `{source}` is good until {end}: less than a third of its life is left, and nothing here renews it"
                );
                publication.warnings.push(warning.into());
            }
        }
    }

    /// Two configurations that publish at one link take turns in replacing each other's set.
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
                "what was published at `{}` came from {other}{without}: if both go on publishing there, each replaces the set of the other",
                self.plan.link.display()
            );
            publication.warnings.push(warning.into());
        }
    }

    /// Notes where the files came from this time: the same bytes may have come from another source, or have another revision.
    /// Whether the change has been announced stays as it is, unless there is no command any more.
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

    /// Stages and flips. An interruption is heeded between two files; after the last one the flip is as quick as giving up.
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
            self.heed_interruption()?;
            staging.write(name, *file)?;
        }
        self.heed_interruption()?;
        if let Some(verify) = &self.plan.verify {
            let set = staging.complete()?;
            self.host.event(Event::Verifying);
            hook::run(Hook::Verify, verify, &set, self.plan, self.host).await?;
            self.heed_interruption()?;
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

    fn heed_interruption(&self) -> Result<(), PublishFault> {
        if self.host.interrupted() { Err(PublishFault::Interrupted) } else { Ok(()) }
    }
}

/// Ensures that what the command of `[verify]` saw is what is published: it looks, and changes nothing.
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

/// Returns how long another run may take that goes as it should.
pub(crate) fn longest_wait(plan: &Plan) -> Duration {
    plan.gather.timeout.saturating_add(WAIT_BEYOND_GATHERING)
}

fn stamp(staging: &Staging<'_>, name: &str) -> Option<FileStamp> {
    let name = FileName::new(name).ok()?;
    staging.metadata(&name).ok().map(|found| FileStamp::of(&found))
}

/// Finds out what of the current generation may stay. Nothing is opened if nothing could.
pub(crate) fn holdings(plan: &Plan, noted: Option<&Manifest>, options: &Options) -> Holdings {
    let (Some(noted), Some(_)) = (noted, plan.issuing().next()) else { return Holdings::default() };
    match options.clone().open_snapshot(&plan.link) {
        Ok(Some(snapshot)) => Holder::new(plan, noted, &snapshot).holdings(),
        Ok(None) | Err(_) => Holdings::default(),
    }
}

/// Reads what is noted of the current generation: `None` where nothing is, or nothing that can be read.
pub(crate) fn noted(locked: &Locked) -> Option<Manifest> {
    Manifest::parse(&locked.note().ok().flatten()?)
}

/// Replaces the note, unless another run is running the command for it: that one holds the note, and a new one could be
/// claimed beside it. The next run renews it.
fn replace_unclaimed(locked: &Locked, fresh: &Manifest) -> Result<(), atomicdir::Error> {
    let is_there = locked.note()?.is_some();
    let claim = locked.claim_note()?;
    if is_there && claim.is_none() { Ok(()) } else { locked.replace_note(&fresh.to_note()) }
}
