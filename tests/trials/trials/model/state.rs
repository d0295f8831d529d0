//! What stands in the folder, and what a run makes of it: the protocol once more, as arithmetic on plain data.

use std::collections::{BTreeMap, BTreeSet};

use super::event::OddLink;

/// Everything in the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) link: Link,
    /// What bears each ID. None is ever empty.
    pub(super) entries: BTreeMap<String, Entry>,
    /// Names that are not ours.
    pub(super) strangers: BTreeSet<String>,
    /// Where there is a lock: when a run last succeeded under it.
    pub(super) lock: Option<Option<u64>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Link {
    #[default]
    Absent,
    Names(String),
    Odd(OddLink),
}

/// What bears one ID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) generation: Option<Generation>,
    pub(super) note: Option<Make>,
    pub(super) mark: Option<Make>,
    pub(super) record: Record,
}

/// Whether the state directory says that a generation was made by a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Record {
    Kept,
    #[default]
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    Directory {
        /// None where somebody changed what it holds.
        set: Option<u32>,
        /// When it was published or superseded.
        since: u64,
    },
    /// Not a directory.
    Odd,
}

/// Whether something is of the kind that we make under its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Make {
    Ours,
    Odd,
}

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The link names a new generation, whose ID only the folder knows.
    Published,
    Unchanged,
    /// Refused at step 3.
    OddLink(OddLink),
    /// Refused at step 5.
    OddGeneration,
}

/// What a run is about, with what it finds outside the folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task<'a> {
    pub(super) set: u32,
    pub(super) retain: u64,
    pub(super) now: u64,
    /// The generations that readers hold.
    pub(super) pinned: &'a [String],
}

impl State {
    pub(super) fn current(&self) -> Option<&str> {
        match &self.link {
            Link::Names(id) => Some(id),
            Link::Absent | Link::Odd(_) => None,
        }
    }

    pub(super) fn generation(&self, id: &str) -> Option<Generation> {
        self.entries.get(id).and_then(|entry| entry.generation)
    }

    pub(super) fn marked(&self) -> Vec<String> {
        self.ids(|_, entry| entry.mark.is_some())
    }

    /// Returns the generations that are finished, and that the link does not name.
    pub(super) fn superseded(&self) -> Vec<String> {
        self.ids(|id, entry| entry.generation.is_some() && entry.mark.is_none() && Some(id) != self.current())
    }

    /// Changes what bears an ID, and forgets the ID if nothing does any more.
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut Entry)) {
        let entry = self.entries.entry(id.to_owned()).or_default();
        change(entry);
        if *entry == Entry::default() {
            self.entries.remove(id);
        }
    }

    fn ids(&self, which: impl Fn(&str, &Entry) -> bool) -> Vec<String> {
        self.entries.iter().filter(|(id, entry)| which(id, entry)).map(|(id, _)| id.clone()).collect()
    }

    /// A whole run. If it publishes, [`published`](Self::published) is to follow.
    pub(super) fn run(&mut self, task: Task<'_>) -> End {
        let end = self.begin(task);
        if end == End::Unchanged {
            self.lock = Some(Some(task.now));
        }
        end
    }

    /// Steps 2 to 5.
    fn begin(&mut self, task: Task<'_>) -> End {
        self.lock.get_or_insert(None);
        if let Link::Odd(kind) = self.link {
            return End::OddLink(kind);
        }
        if self.link == Link::Absent {
            self.lock = Some(None);
        }
        self.heal(task);
        match self.current().and_then(|id| self.generation(id)) {
            Some(Generation::Odd) => End::OddGeneration,
            Some(Generation::Directory { set, .. }) if set == Some(task.set) => End::Unchanged,
            _ => End::Published,
        }
    }

    /// Step 4.
    fn heal(&mut self, task: Task<'_>) {
        let orphans = self.ids(|_, entry| entry.generation.is_none() && entry.mark.is_none());
        let superseded = self.superseded();
        for id in self.marked() {
            if Some(&*id) == self.current() {
                self.change(&id, |entry| entry.mark = entry.mark.filter(|mark| *mark == Make::Odd));
            } else {
                self.discard(&id, task);
            }
        }
        for id in orphans {
            self.change(&id, forget);
        }
        self.retire(&superseded, task);
    }

    /// Steps 6 to 11: the link names this new generation.
    pub(super) fn published(&mut self, new: &str, task: Task<'_>) {
        let old = self.current().map(str::to_owned);
        let generation = Generation::Directory { set: Some(task.set), since: task.now };
        let note = Some(Make::Ours);
        let entry = Entry { generation: Some(generation), note, mark: None, record: Record::Kept };
        self.entries.insert(new.to_owned(), entry);
        self.link = Link::Names(new.to_owned());
        if let Some(old) = old {
            self.supersede(&old, task.now);
            self.retire(&[old], task);
        }
        self.lock = Some(Some(task.now));
    }

    /// Sets the time of a generation, if it is there and on record.
    pub(super) fn supersede(&mut self, id: &str, now: u64) {
        self.change(id, |entry| {
            if let (Some(Generation::Directory { since, .. }), Record::Kept) =
                (&mut entry.generation, entry.record)
            {
                *since = now;
            }
        });
    }

    fn retire(&mut self, superseded: &[String], task: Task<'_>) {
        for id in superseded {
            let due = match self.generation(id) {
                Some(Generation::Odd) => false,
                Some(Generation::Directory { since, .. }) => is_due(since, task),
                None => true,
            };
            if due {
                self.discard(id, task);
            }
        }
    }

    /// Removes the generation, its note, its record and its mark, in this order, as far as each is of our making.
    fn discard(&mut self, id: &str, task: Task<'_>) {
        let pinned = task.pinned.iter().any(|pinned| pinned == id);
        self.change(id, |entry| {
            let kept = match entry.generation {
                Some(Generation::Directory { .. }) => pinned || entry.record == Record::None,
                Some(Generation::Odd) => true,
                None => false,
            };
            if kept || entry.mark == Some(Make::Odd) {
                return;
            }
            let was_there = entry.generation.take().is_some();
            // What cannot be removed keeps the mark, with which the removal began.
            forget(entry);
            let stuck = entry.note == Some(Make::Odd);
            entry.mark = if stuck { entry.mark.or(was_there.then_some(Make::Ours)) } else { None };
        });
    }
}

/// Removes the note, then the record. A note that is not of our making keeps the record, too.
fn forget(entry: &mut Entry) {
    if entry.note != Some(Make::Odd) {
        (entry.note, entry.record) = (None, Record::None);
    }
}

/// A time in the future counts as due.
fn is_due(since: u64, task: Task<'_>) -> bool {
    task.now.checked_sub(since).is_none_or(|age| age >= task.retain)
}
