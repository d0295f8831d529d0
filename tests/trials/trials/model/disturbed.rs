//! A run that is killed, or lied to, at one of its calls; and what it may leave.
//!
//! It gets no further than a whole run, so each thing is as it was, or as a whole run leaves it; or its removal has begun,
//! and then it bears a mark. What a whole run would have left alone is untouched.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::LazyLock;

use atomicdir_trials::Outcome;
use proptest::prelude::*;
use secretdir_testkit::strace::{self, Injected, Trace};

use super::event::{Disturbance, Run};
use super::state::{End, Entry, Generation, Link, Make, Record, State, Task};
use crate::support::{OPENS_FOLDER, PUBLISHER, Place};

/// How many calls of each name `publisher` makes before it opens the folder: the loading of the program.
static BEFORE: LazyLock<BTreeMap<String, usize>> = LazyLock::new(|| {
    let place = Place::new();
    let run = Run { set: 1, retain: 0, durability: "none" };
    let calls = Trace::of(PUBLISHER, &arguments(place.path(), run, 0), |_| ()).calls;
    let loading = calls.iter().take_while(|call| !call.line.contains(OPENS_FOLDER));
    loading.map(|call| (call.name.clone(), call.nth)).collect()
});

/// Runs `publisher` and disturbs it. Says how it ended, and whether the call came at all.
pub(super) fn run(folder: &Path, run: Run, disturbance: Disturbance, now: u64) -> (ExitStatus, bool) {
    let Disturbance { call, nth, what } = disturbance;
    let nth = nth + BEFORE.get(call).copied().unwrap_or_default();
    let fault = format!("{call}:{what}:when={nth}");
    let Injected { ran, times } = strace::inject(PUBLISHER, &arguments(folder, run, now), &[fault], |_| ());
    (ran.status, times > 0 || ran.status.signal().is_some())
}

fn arguments(folder: &Path, run: Run, now: u64) -> [String; 6] {
    let link = folder.join("app").to_str().unwrap().to_owned();
    let Run { set, retain, durability } = run;
    ["sync".to_owned(), link, set.to_string(), retain.to_string(), durability.to_owned(), now.to_string()]
}

/// A disturbed run: the folder before it, and after.
pub(super) struct Disturbed<'a> {
    pub(super) before: &'a State,
    pub(super) after: &'a State,
    pub(super) task: Task<'a>,
    pub(super) status: ExitStatus,
    /// Whether the call came that was to be disturbed.
    pub(super) came: bool,
}

impl Disturbed<'_> {
    /// Asserts that the folder is as such a run may leave it.
    pub(super) fn check(&self) -> Result<(), TestCaseError> {
        let mut whole = self.before.clone();
        let end = whole.run(self.task);
        let new = self.new_id()?;
        let flipped = new.is_some() && self.after.current() == new;
        if let (true, Some(new)) = (flipped, new) {
            prop_assert_eq!(end, End::Published);
            whole.published(new, self.task);
        } else {
            prop_assert_eq!(&self.after.link, &self.before.link);
        }
        self.check_status(end, flipped)?;
        if !self.came {
            prop_assert_eq!(self.after, &whole);
        }
        prop_assert_eq!(&self.after.strangers, &self.before.strangers);
        self.check_lock()?;
        for id in self.before.entries.keys() {
            self.check_entry(id, &whole, flipped)?;
        }
        new.map_or(Ok(()), |new| self.check_new(new, flipped))
    }

    /// Returns the ID of the run's own staging: there is at most one.
    fn new_id(&self) -> Result<Option<&str>, TestCaseError> {
        let mut new = self.after.entries.keys().filter(|id| !self.before.entries.contains_key(*id));
        let first = new.next();
        prop_assert!(new.next().is_none(), "two new IDs");
        Ok(first.map(String::as_str))
    }

    /// The run's own word on how it ended, if it lived to say it, agrees with the link.
    fn check_status(&self, end: End, flipped: bool) -> Result<(), TestCaseError> {
        let Some(code) = self.status.code() else {
            prop_assert_eq!(self.status.signal(), Some(9));
            return Ok(());
        };
        let agrees = match code {
            code if code == Outcome::Published as i32 => flipped,
            code if code == Outcome::Unsettled as i32 => flipped || end == End::Unchanged,
            code if code == Outcome::Unchanged as i32 => end == End::Unchanged,
            code => code == Outcome::Failed as i32 && !flipped,
        };
        prop_assert!(agrees, "it ended with {code}, flipped: {flipped}, expected {end:?}");
        Ok(())
    }

    /// The lock has its old time or the run's own. Where nothing was published before, it may say anything until the next
    /// run, since no link is there that a success could be told of.
    fn check_lock(&self) -> Result<(), TestCaseError> {
        let (before, after) = (self.before.lock, self.after.lock);
        let now = Some(Some(self.task.now));
        let undecided = before.is_none() || self.before.link == Link::Absent;
        prop_assert!(undecided || after == before || after == now, "the lock: {before:?}, then {after:?}");
        Ok(())
    }

    /// What stood there before is as it was, or as a whole run leaves it, or marked and on its way out.
    fn check_entry(&self, id: &str, whole: &State, flipped: bool) -> Result<(), TestCaseError> {
        let entry = |state: &State| state.entries.get(id).copied().unwrap_or_default();
        let (before, after, whole) = (entry(self.before), entry(self.after), entry(whole));
        // The time is set before the flip, so that a kill in between errs on keeping it.
        let mut superseded = self.before.clone();
        if self.before.current() == Some(id) {
            superseded.supersede(id, self.task.now);
        }
        let superseded = entry(&superseded);
        // A mark that somebody has put on the current generation is gone by then: healing comes before.
        let healed = Entry { mark: whole.mark, ..superseded };
        let doomed = whole.generation.is_none() && (whole.note.is_none() || after.note.is_some());
        let leaving = doomed && after.mark == Some(Make::Ours);
        // A kill found the healing done before the flip; a lie may have kept it from being done.
        let still = after == before && (!flipped || self.status.code().is_some());
        // What belongs to no generation is removed name by name, and bears no mark.
        let orphaned = before.generation.is_none() && before.mark.is_none();
        let fading = orphaned && after == Entry { note: None, ..before };
        let held = still || after == whole || leaving || fading || after == superseded || after == healed;
        prop_assert!(held, "{id}: {before:?}, then {after:?}; a whole run leaves {whole:?}");
        Ok(())
    }

    /// The staging bears its mark until it is complete and current.
    fn check_new(&self, new: &str, flipped: bool) -> Result<(), TestCaseError> {
        let entry = self.after.entries.get(new).copied().unwrap_or_default();
        if !flipped {
            prop_assert_eq!(entry.mark, Some(Make::Ours));
            return Ok(());
        }
        let generation = Generation::Directory { set: Some(self.task.set), since: self.task.now };
        let note = Some(Make::Ours);
        let complete = Entry { generation: Some(generation), note, mark: None, record: Record::Kept };
        prop_assert_eq!(entry, complete);
        Ok(())
    }
}
