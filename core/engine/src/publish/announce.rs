//! Runs `[on-change]` when it is due, and notes the result.
//!
//! Before the flip, the note says "pending". Only a success clears it, and only if readers still find the set. A run that
//! finds a pending note touches the stamp and runs the command again, even if there is nothing to publish.
//!
//! A command that fails or hangs may do harm each time. So there is a backoff: the next run repeats the command after its
//! first failure. After each further failure in a row the pause is 1, 2, 4, 8 and then 15 minutes. If the configuration has
//! another command, the backoff starts again. If the stamp cannot be touched, each run tries again, and then runs the
//! command.

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

/// The pause after the second failure in a row. It doubles with each further failure.
const FIRST_PAUSE: Duration = Duration::from_secs(60);

/// The maximum pause before a retry.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The last step of a run, which announces the change.
pub(crate) struct Announcing<'a, 'r> {
    pub(crate) run: &'a Run<'r>,
    pub(crate) publication: &'a mut Publication,
}

/// The reason why a change could not be announced.
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

/// Which run may run the command, if any.
enum Claim {
    Mine(NoteClaim, Attempts),
    Others,
    NothingToDo,
    /// The command has failed, and its backoff is not over.
    NotYet(Attempts, Duration),
}

impl<'r> Announcing<'_, 'r> {
    /// Announces the change as configured, if that is still pending.
    pub(crate) async fn announce(mut self, locked: Locked) {
        let current = locked.current().cloned();
        self.publication.generation_id = current.as_ref().map(ToString::to_string).unwrap_or_default();
        match (&self.run.plan.on_change, current) {
            (Some(on_change), Some(id)) => self.notify(on_change, &id, locked).await,
            _ => self.record_success(locked),
        }
    }

    /// Runs the command if the change of the current generation is pending, and notes the result.
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
            Ok(Claim::NotYet(attempts, left)) => return self.postponed(attempts, left),
            Err(error) => return self.not_recorded(&error, error.hint()),
        };
        drop(locked);
        self.run.host.event(Event::Notifying);
        // Slow disks may have delayed this step. If the run must end, a command that started now would be ended at once.
        if self.run.host.interrupted() {
            return self.not_begun();
        }
        let acted = self.act(on_change).await;
        let is_in_place = self.check_in_place();
        match acted {
            Ok(()) if is_in_place => self.note_success(id).await,
            // The command may have read another set. A run that finds this set in place again repeats it.
            Ok(()) => {}
            // A retry is harmless, so there is no backoff.
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

    /// Returns whether readers still find the set at its path. The command may have taken long. If they do not, an error is
    /// added once.
    fn check_in_place(&mut self) -> bool {
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

    /// Waits for the random delay, touches the stamp and runs the command.
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

    /// Adds the error that the command was not started, because the run must end.
    fn not_begun(&mut self) {
        let message = "the on-change command was not started, because the run was told to end";
        let hint = "the new set is current; the next run starts the command";
        let report = ErrorReport::from_message(ErrorKind::OnChangeFailed, message);
        self.publication.errors.push(report.with_hint(Some(hint)));
    }

    /// Adds the error that the command is pending, but its backoff is not over.
    fn postponed(&mut self, attempts: Attempts, left: Duration) {
        self.publication.on_change = Notification::Postponed;
        self.publication.postponed = Some(left);
        let (times, left) = (count(attempts.failed, "time"), humantime::format_duration(left));
        let message = format!("the on-change command has failed {times} in a row, and is not retried yet");
        let hint = format!(
            "the new set is current; the command is not retried for {left}: fix it, and run it by hand if it cannot wait"
        );
        let report = ErrorReport::from_message(ErrorKind::OnChangeFailed, message).with_hint(Some(hint));
        self.publication.errors.push(report);
    }

    /// Reads and claims the note while the lock is held. So a run that clears the note does so either before or after.
    ///
    /// A missing or unreadable note does not prove that the change was announced, so it counts as pending.
    fn claim_pending(&self, on_change: &OnChange, locked: &Locked) -> Result<Claim, atomicdir::Error> {
        let attempts = match locked.note()?.as_deref().and_then(Manifest::parse) {
            Some(manifest) if !manifest.is_pending() => return Ok(Claim::NothingToDo),
            Some(manifest) => manifest.attempts.unwrap_or_default().of(on_change),
            None => {
                locked.replace_note(&Manifest::pending().to_note())?;
                Attempts::default().of(on_change)
            }
        };
        if let Some(left) = attempts.backoff_left(self.run.host.clock().date()) {
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

    /// Adds the error that the success of the command is unknown or was not noted.
    fn not_recorded(&mut self, error: &atomicdir::Error, hint: Option<&str>) {
        self.publication.failed_at_step(ErrorKind::OnChangeNotRecorded, error, hint);
    }

    async fn note_failure(&mut self, id: &Id, failed: Attempts) {
        let noted = self.change_note(id, |manifest| Manifest { attempts: Some(failed), ..manifest }).await;
        if let Err(error) = noted {
            self.publication.warnings.push(WarningReport::deferred(&error));
        }
    }

    /// Changes the note of a generation, if it is still current. Another generation has its own note.
    async fn change_note(
        &self,
        id: &Id,
        change: impl FnOnce(Manifest) -> Manifest,
    ) -> Result<Locked, atomicdir::Error> {
        // A run that may not wait for the lock at its beginning may wait here. Its work is done, and only the note is
        // missing.
        let locked = self.run.lock(run::longest_wait(self.run.plan)).await?;
        if locked.current() == Some(id)
            && let Some(note) = locked.note()?
        {
            let manifest = Manifest::parse(&note).unwrap_or_else(Manifest::pending);
            locked.replace_note(&change(manifest).to_note())?;
        }
        Ok(locked)
    }

    /// Stores the time of the run as the last success, if nothing failed.
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
    /// Returns the attempts of this command. There are none if the configuration has another command now.
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

    /// Returns a text that says when the command is repeated.
    fn repeated(self) -> String {
        match self.pause() {
            None => "the new set is current; the next run repeats the command".to_owned(),
            Some(pause) => format!(
                "the new set is current; a run repeats the command once {} have passed",
                humantime::format_duration(pause)
            ),
        }
    }

    /// Returns the pause after the last failure. `None` means that the next run repeats the command.
    fn pause(self) -> Option<Duration> {
        let doublings = u32::try_from(self.failed.checked_sub(2)?).unwrap_or(u32::MAX);
        let doubled = 2u32.checked_pow(doublings).unwrap_or(u32::MAX);
        Some(FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE))
    }

    /// Returns the rest of the pause. `None` means that a retry is due, which is also the case if the clock was set back.
    fn backoff_left(self, now: SystemTime) -> Option<Duration> {
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
            attempts.backoff_left(now).map_or(0, |pause| pause.as_secs() / 60)
        });
        assert_eq!(pauses, [0, 0, 1, 2, 4, 8, 15, 15, 15]);
        let attempts = Attempts { failed: 2, last: 1_000_000, command: 7 };
        assert_eq!(attempts.backoff_left(now + Duration::from_secs(60)), None);
        assert_eq!(attempts.backoff_left(now - Duration::from_secs(60)), None, "the clock was set back");
        assert_eq!(attempts.one_more(now), Attempts { failed: 3, last: 1_000_000, command: 7 });
    }
}
