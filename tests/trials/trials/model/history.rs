//! One history: each event is made to happen in a folder and in the model, and the two are compared.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use atomicdir::{Durability, Error, FileName, Options, Pin, Refusal, Snapshot, Status, Step};
use atomicdir_trials::{Outcome, Set, publish};
use proptest::prelude::*;

use super::disturbed::{self, Disturbed};
use super::event::{Disturbance, Event, OddLink, Run};
use super::observed::{observe, seconds_of};
use super::state::{End, Generation, Make, State, Task};
use crate::support::Place;

/// When each history begins: long ago, so that a time that nobody set is far off.
const BEGINNING: u64 = 1_500_000_000;

/// Lives through these events in a new folder.
pub(super) fn live(events: &[Event]) -> Result<(), TestCaseError> {
    let mut history = History::new();
    for event in events {
        history.happen(event)?;
        history.check().map_err(|error| TestCaseError::fail(format!("after {event:?}: {error}")))?;
    }
    Ok(())
}

pub(super) struct History {
    place: Place,
    pub(super) state: State,
    pub(super) now: u64,
    readers: Vec<Reader>,
    /// The set of the last run.
    wanted: Option<u32>,
    /// How many IDs were made up.
    made_up: usize,
}

struct Reader {
    snapshot: Snapshot,
    id: String,
}

impl History {
    fn new() -> Self {
        let (place, state) = (Place::new(), State::default());
        Self { place, state, now: BEGINNING, readers: Vec::new(), wanted: None, made_up: 0 }
    }

    pub(super) fn folder(&self) -> &Path {
        self.place.path()
    }

    pub(super) fn fresh_id(&mut self) -> String {
        self.made_up += 1;
        format!("madeUp{:010}", self.made_up)
    }

    fn happen(&mut self, event: &Event) -> Result<(), TestCaseError> {
        match event {
            Event::Run(run) => self.run(*run),
            Event::RunAgain(run) => self.run(Run { set: self.wanted.unwrap_or(run.set), ..*run }),
            Event::Disturbed(run, disturbance) => self.run_disturbed(*run, *disturbance),
            Event::Clock(seconds) => {
                self.now = self.now.saturating_add_signed(*seconds);
                Ok(())
            }
            Event::Pin => self.pin(),
            Event::Unpin(which) => {
                if let Some(index) = which.checked_rem(self.readers.len()) {
                    self.readers.remove(index);
                }
                Ok(())
            }
            Event::Meddle(meddling) => {
                self.meddle(meddling);
                Ok(())
            }
        }
    }

    fn time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.now)
    }

    fn pinned(&self) -> Vec<String> {
        self.readers.iter().map(|reader| reader.id.clone()).collect()
    }

    /// The model says how the run ends before it begins.
    fn run(&mut self, run: Run) -> Result<(), TestCaseError> {
        let pinned = self.pinned();
        let task = Task { set: run.set, retain: run.retain.into(), now: self.now, pinned: &pinned };
        let before = self.state.clone();
        let expected = self.state.run(task);
        self.wanted = Some(run.set);
        let ended = publish(&self.place.link(), Set(run.set), options(run), self.time());
        check_end(expected, &ended)?;
        if expected == End::Published {
            let new = observe(self.folder()).current().map(str::to_owned);
            let new = new.filter(|new| !before.entries.contains_key(new) && before.current() != Some(new));
            let Some(new) = new else { return Err(TestCaseError::fail("the link names nothing new")) };
            self.state.published(&new, task);
        }
        Ok(())
    }

    /// What such a run leaves is checked, and then taken for what is.
    fn run_disturbed(&mut self, run: Run, disturbance: Disturbance) -> Result<(), TestCaseError> {
        let pinned = self.pinned();
        let task = Task { set: run.set, retain: run.retain.into(), now: self.now, pinned: &pinned };
        let (status, came) = disturbed::run(self.folder(), run, disturbance, self.now);
        let after = observe(self.folder());
        Disturbed { before: &self.state, after: &after, task, status, came }.check()?;
        self.state = after;
        Ok(())
    }

    fn pin(&mut self) -> Result<(), TestCaseError> {
        let current = self.state.current().map(|id| (id.to_owned(), self.state.generation(id)));
        let Some((id, Some(Generation::Directory { .. } | Generation::Empty { .. }))) = current else {
            return Ok(());
        };
        let snapshot = Snapshot::open(self.place.link());
        let snapshot = snapshot.map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        self.readers.push(Reader { snapshot, id });
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(&observe(self.folder()), &self.state);
        self.check_readers()?;
        self.check_status()
    }

    /// Whoever holds a generation reads all of it, for as long as nobody changed it by hand.
    fn check_readers(&self) -> Result<(), TestCaseError> {
        let version = FileName::new("version").unwrap();
        for Reader { snapshot, id } in &self.readers {
            if let Some(Generation::Directory { set: Some(set), .. }) = self.state.generation(id) {
                let read = snapshot.read(&version).map_err(|error| TestCaseError::fail(error.to_string()))?;
                prop_assert_eq!(read, set.to_string().into_bytes());
            }
        }
        Ok(())
    }

    fn check_status(&self) -> Result<(), TestCaseError> {
        let status = match Status::of(self.place.link()) {
            Ok(status) => status,
            Err(error) => {
                prop_assert!(self.is_unreadable(), "{error}: {error:?}");
                return Ok(());
            }
        };
        prop_assert!(!self.is_unreadable());
        let state = &self.state;
        let told = |told: &atomicdir::GenerationStatus| {
            (told.id.to_string(), seconds_of(told.since), told.pin, told.note.is_some())
        };
        let current: Vec<_> = state.current().into_iter().filter_map(|id| self.expected(id)).collect();
        prop_assert_eq!(status.current.iter().map(told).collect::<Vec<_>>(), current);
        let superseded = state.superseded().into_iter().filter_map(|id| self.expected(&id));
        let superseded: Vec<_> = superseded.map(|(id, since, pin, _)| (id, since, pin)).collect();
        let told =
            |told: &atomicdir::SupersededStatus| (told.id.to_string(), seconds_of(told.since), told.pin);
        prop_assert_eq!(status.superseded.iter().map(told).collect::<Vec<_>>(), superseded);
        let unfinished: Vec<_> = status.unfinished.iter().map(ToString::to_string).collect();
        prop_assert_eq!(unfinished, self.unfinished());
        let succeeded = status.current.and(state.lock.flatten());
        prop_assert_eq!(status.last_success.map(seconds_of), succeeded);
        Ok(())
    }

    /// Returns what `Status` should tell of a generation, if it is there.
    fn expected(&self, id: &str) -> Option<(String, u64, Pin, bool)> {
        let (Generation::Directory { since, .. } | Generation::Empty { since }) =
            self.state.generation(id)?
        else {
            return None;
        };
        let pin = if self.pinned().iter().any(|pinned| pinned == id) { Pin::Pinned } else { Pin::Free };
        Some((id.to_owned(), since, pin, self.state.entries.get(id)?.note.is_some()))
    }

    /// Returns what bears a mark. What the link names, and is there, is finished all the same.
    fn unfinished(&self) -> Vec<String> {
        let published = self.state.current().filter(|id| self.state.generation(id).is_some());
        self.state.marked().into_iter().filter(|id| Some(id.as_str()) != published).collect()
    }

    /// Says whether something stands in the place of a link or a generation, or of the note of what is current, so that
    /// `Status` is refused.
    fn is_unreadable(&self) -> bool {
        let state = &self.state;
        let generation = |id: &str| state.entries.get(id).and_then(|entry| entry.generation.as_ref());
        let odd = |id: &str| matches!(generation(id), Some(Generation::Odd));
        let noted_oddly = |id: &str| generation(id).is_some() && state.entries[id].note == Some(Make::Odd);
        let current_is_odd = |id: &str| odd(id) || noted_oddly(id);
        let linked_oddly = matches!(state.link, super::state::Link::Odd(_));
        linked_oddly
            || state.current().is_some_and(current_is_odd)
            || state.superseded().iter().any(|id| odd(id))
    }
}

fn options(run: Run) -> Options {
    let durability = match run.durability {
        "none" => Durability::None,
        "per-file" => Durability::PerFile,
        _ => Durability::Filesystem,
    };
    Options::new().retain(Duration::from_secs(run.retain.into())).durability(durability)
}

fn check_end(
    expected: End,
    ended: &Result<Outcome, Box<dyn std::error::Error>>,
) -> Result<(), TestCaseError> {
    let refusal = ended.as_ref().err().and_then(|error| error.downcast_ref::<Error>());
    let refusal = refusal.map(|error| (error.step(), error.refusal()));
    let held = match expected {
        End::Published => matches!(ended, Ok(Outcome::Published)),
        End::Unchanged => matches!(ended, Ok(Outcome::Unchanged)),
        End::OddLink(OddLink::Elsewhere) => {
            matches!(refusal, Some((Step::Link, Some(Refusal::PointsElsewhere(_)))))
        }
        End::OddLink(_) => matches!(refusal, Some((Step::Link, Some(Refusal::NotALink(_))))),
        End::OddGeneration => matches!(refusal, Some((Step::Compare, Some(Refusal::NotAGeneration)))),
    };
    prop_assert!(held, "expected {expected:?}, ended {ended:?}");
    Ok(())
}
