//! The command of `[on-change]`: whether it is to run, and what is noted of it.
//!
//! Before the flip the note says "pending"; only success clears it, where readers find the set. A run that finds a pending note
//! touches the stamp and runs the command again, even if there is nothing to publish: but not at once for ever. A command that fails,
//! or that never ends, may do harm each time, so the pauses before a repeat grow: none before the first, then 1, 2, 4, 8 and 15 minutes.
//! A command that was changed in the configuration begins anew. A stamp that cannot be touched is tried by each run, and the command
//! after it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use atomicdir::{Id, Locked, NoteClaim};

use super::hook::{self, Hook, HookError};
use super::manifest::{Announcement, Attempts, Manifest};
use super::publication::{Notification, Publication};
use super::run::{self, Run};
use crate::host::Event;
use crate::plan::OnChange;
use crate::report::{ErrorKind, ErrorReport, WarningReport, count};

/// The pause after the second failure in a row. It doubles with each one after that.
const FIRST_PAUSE: Duration = Duration::from_secs(60);

/// The longest pause before a repeat.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The end of a run: telling of the change.
pub(crate) struct Announcing<'a, 'r> {
    pub(crate) run: &'a Run<'r>,
    pub(crate) publication: &'a mut Publication,
}

/// Why a change could not be announced.
#[derive(Debug, thiserror::Error)]
enum AnnounceError {
    #[error(transparent)]
    Stamp(#[from] atomicdir::Error),
    #[error(transparent)]
    Command(#[from] HookError),
}

impl AnnounceError {
    fn hint(&self) -> Option<&str> {
        match self {
            Self::Stamp(error) => error.hint(),
            Self::Command(error) => error.hint(),
        }
    }
}

/// Who runs the command.
enum Claim {
    Mine(NoteClaim, Attempts),
    Others,
    NothingToDo,
    /// It has failed before, and the pause is not over.
    NotYet(Attempts, Duration),
}

impl<'r> Announcing<'_, 'r> {
    /// Tells whom the configuration names that the set has changed, if it has not been told.
    pub(crate) async fn announce(mut self, locked: Locked) {
        let current = locked.current().cloned();
        self.publication.generation_id = current.as_ref().map(ToString::to_string).unwrap_or_default();
        match (&self.run.plan.on_change, current) {
            (Some(on_change), Some(id)) => self.notify(on_change, &id, locked).await,
            _ => self.record_success(locked),
        }
    }

    /// Runs the command if the current generation has not been announced, and notes how that went.
    async fn notify(&mut self, on_change: &OnChange, id: &Id, locked: Locked) {
        let claimed = self.claim_pending(on_change, &locked);
        self.publication.on_change = Notification::Pending;
        let (claim, attempts) = match claimed {
            Ok(Claim::Mine(claim, attempts)) => (claim, attempts),
            Ok(Claim::NothingToDo) => {
                self.publication.on_change = Notification::NotNeeded;
                return self.record_success(locked);
            }
            Ok(Claim::Others) => {
                self.publication.on_change = Notification::RunningElsewhere;
                let warning = "another run is still running the on-change command";
                return self.publication.warnings.push(warning.to_owned().into());
            }
            Ok(Claim::NotYet(attempts, left)) => return self.put_off(attempts, left),
            Err(error) => return self.not_recorded(&error, error.hint()),
        };
        drop(locked);
        self.run.host.event(Event::Notifying);
        // The disk may have taken its time. A command that began now would be ended at once.
        if self.run.host.interrupted() {
            return self.not_begun();
        }
        let acted = self.act(on_change).await;
        let is_in_place = self.look_again();
        match acted {
            Ok(()) if is_in_place => self.note_success(id).await,
            // Whoever was told may have read something else: a run that finds this set there again repeats it.
            Ok(()) => {}
            // That does no harm to anybody, so it is repeated at once.
            Err(error @ AnnounceError::Stamp(_)) => {
                self.failed(&error, "the new set is current; the next run touches the stamp");
            }
            Err(error @ AnnounceError::Command(_)) => {
                let failed = attempts.one_more(self.run.host.clock().date());
                self.failed(&error, &failed.repeated());
                self.note_failure(id, failed).await;
            }
        }
        drop(claim);
    }

    /// Looks whether readers still find the set where they look for it: the command may have taken long. Says whether they do.
    fn look_again(&mut self) -> bool {
        let is_told = self.publication.errors.iter().any(|error| error.kind == ErrorKind::PathMoved);
        match self.run.dir.ensure_in_place() {
            Ok(()) => true,
            Err(error) => {
                if !is_told {
                    self.publication.failed_at_step(ErrorKind::PathMoved, &error, Some(run::MISPLACED));
                }
                false
            }
        }
    }

    fn failed(&mut self, error: &AnnounceError, next: &str) {
        let hint = error.hint().map_or(next.to_owned(), |hint| format!("{hint}; {next}"));
        let report = ErrorReport::new(ErrorKind::OnChangeFailed, error).with_hint(Some(hint));
        self.publication.errors.push(report);
    }

    /// Waits as long as chance says, touches the stamp and runs the command.
    async fn act(&self, on_change: &OnChange) -> Result<(), AnnounceError> {
        let Run { plan, host, dir } = *self.run;
        if !on_change.splay.is_zero() {
            host.sleep(host.jitter().up_to(on_change.splay)).await;
        }
        if let Some(stamp) = &on_change.stamp {
            dir.touch(stamp)?;
        }
        if let Some(command) = &on_change.command {
            hook::run(Hook::OnChange, command, plan.link(), plan, host).await?;
        }
        Ok(())
    }

    /// Says that the command was not started, as somebody has asked for the end.
    fn not_begun(&mut self) {
        let message = "the on-change command was not started, as the run was asked to end";
        let hint = "the new set is current; the next run starts the command";
        let report = ErrorReport::from_message(ErrorKind::OnChangeFailed, message);
        self.publication.errors.push(report.with_hint(Some(hint)));
    }

    /// Says that the command is not run although it is to be.
    fn put_off(&mut self, attempts: Attempts, left: Duration) {
        self.publication.on_change = Notification::PutOff;
        self.publication.put_off = Some(left);
        let (times, left) = (count(attempts.failed, "time"), humantime::format_duration(left));
        let message = format!("the on-change command has failed {times} in a row, and is not repeated yet");
        let hint = format!(
            "the new set is current; the command is not repeated for {left}: mend it, and run it by hand if it cannot wait"
        );
        let report = ErrorReport::from_message(ErrorKind::OnChangeFailed, message).with_hint(Some(hint));
        self.publication.errors.push(report);
    }

    /// Reads the note and claims it while the lock is held, so that whoever clears it is either before or after.
    ///
    /// A note that is gone or cannot be read does not say that the change was announced, so it counts as pending.
    fn claim_pending(&self, on_change: &OnChange, locked: &Locked) -> Result<Claim, atomicdir::Error> {
        let attempts = match locked.note()?.as_deref().and_then(Manifest::parse) {
            Some(manifest) if !manifest.is_pending() => return Ok(Claim::NothingToDo),
            Some(manifest) => manifest.attempts.unwrap_or_default().of(on_change),
            None => {
                locked.replace_note(&Manifest::pending().to_note())?;
                Attempts::default().of(on_change)
            }
        };
        if let Some(left) = attempts.pause_left(self.run.host.clock().date()) {
            return Ok(Claim::NotYet(attempts, left));
        }
        Ok(locked.claim_note()?.map_or(Claim::Others, |claim| Claim::Mine(claim, attempts)))
    }

    async fn note_success(&mut self, id: &Id) {
        let done = |manifest| Manifest { on_change: Some(Announcement::Done), attempts: None, ..manifest };
        match self.change_note(id, done).await {
            Ok(locked) => {
                self.publication.on_change = Notification::Succeeded;
                self.record_success(locked);
            }
            Err(error) => {
                let hint = "the command succeeded, but the next run may repeat it";
                self.not_recorded(&error, Some(hint));
            }
        }
    }

    /// Says that it is not known, or not noted, whether the command has succeeded.
    fn not_recorded(&mut self, error: &atomicdir::Error, hint: Option<&str>) {
        self.publication.failed_at_step(ErrorKind::OnChangeNotRecorded, error, hint);
    }

    async fn note_failure(&mut self, id: &Id, failed: Attempts) {
        let noted = self.change_note(id, |manifest| Manifest { attempts: Some(failed), ..manifest }).await;
        if let Err(error) = noted {
            self.publication.warnings.push(WarningReport::deferred(&error));
        }
    }

    /// Changes the note of a generation, unless another one is current by now: its own note speaks for it.
    async fn change_note(
        &self,
        id: &Id,
        change: impl FnOnce(Manifest) -> Manifest,
    ) -> Result<Locked, atomicdir::Error> {
        // Whoever may not wait to begin may wait here: the work is done, and only has to be put on record.
        let locked = self.run.lock(run::longest_wait(self.run.plan)).await?;
        if locked.current() == Some(id)
            && let Some(note) = locked.note()?
        {
            let manifest = Manifest::parse(&note).unwrap_or_else(Manifest::pending);
            locked.replace_note(&change(manifest).to_note())?;
        }
        Ok(locked)
    }

    /// Notes the time of a run in which nothing failed.
    fn record_success(&mut self, locked: Locked) {
        if !self.publication.errors.is_empty() {
            return;
        }
        if let Err(error) = locked.record_success() {
            self.publication.warnings.push(WarningReport::deferred(&error));
        }
    }
}

impl Attempts {
    /// Returns those of this command: none, if the configuration has another one by now.
    fn of(self, on_change: &OnChange) -> Self {
        let mut hasher = DefaultHasher::new();
        on_change.hash(&mut hasher);
        let command = hasher.finish();
        if self.command == command { self } else { Self { command, ..Self::default() } }
    }

    fn one_more(self, now: SystemTime) -> Self {
        let last = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self { failed: self.failed.saturating_add(1), last, ..self }
    }

    /// Says when the command is repeated.
    fn repeated(self) -> String {
        match self.pause() {
            None => "the new set is current; the next run repeats the command".to_owned(),
            Some(pause) => format!(
                "the new set is current; a run repeats the command once {} have passed",
                humantime::format_duration(pause)
            ),
        }
    }

    /// Returns how long to wait after the last failure: `None` if the next run repeats the command.
    fn pause(self) -> Option<Duration> {
        let doublings = u32::try_from(self.failed.checked_sub(2)?).unwrap_or(u32::MAX);
        let doubled = 2u32.checked_pow(doublings).unwrap_or(u32::MAX);
        Some(FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE))
    }

    /// Returns how long it is to the next repeat: `None` if it is due. A clock that has been set back makes it due.
    fn pause_left(self, now: SystemTime) -> Option<Duration> {
        let pause = self.pause()?;
        let since = now.duration_since(UNIX_EPOCH + Duration::from_secs(self.last)).ok()?;
        pause
            .checked_sub(since)
            .map(|left| Duration::from_secs(left.as_secs()))
            .filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_repeat_waits_longer_up_to_a_bound() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let pauses = [0, 1, 2, 3, 4, 5, 6, 7, 1_000_000].map(|failed| {
            let attempts = Attempts { failed, last: 1_000_000, command: 0 };
            attempts.pause_left(now).map_or(0, |pause| pause.as_secs() / 60)
        });
        assert_eq!(pauses, [0, 0, 1, 2, 4, 8, 15, 15, 15]);
        let attempts = Attempts { failed: 2, last: 1_000_000, command: 7 };
        assert_eq!(attempts.pause_left(now + Duration::from_secs(60)), None);
        assert_eq!(attempts.pause_left(now - Duration::from_secs(60)), None, "the clock was set back");
        assert_eq!(attempts.one_more(now), Attempts { failed: 3, last: 1_000_000, command: 7 });
    }
}
