//! The four kinds of run that are killed, and starved, at each of their system calls.

use atomicdir_trials::{Outcome, Set, shown};

use crate::support::{Place, SETTLED, Sync};

const OLD: Set = Set(1);
const NEW: Set = Set(2);

/// A state, and a run that begins in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    before: Before,
    pub(crate) sync: Sync,
}

#[derive(Clone, Copy, Debug)]
enum Before {
    Nothing,
    Old,
    New,
    /// The old set, beside it one that was superseded, and what a killed run left.
    OldAndLeftovers,
}

const fn scenario(before: Before, set: Set, durability: &'static str) -> Scenario {
    Scenario { before, sync: Sync { set, retain: 0, durability } }
}

pub(crate) const FIRST_PUBLISH: Scenario = scenario(Before::Nothing, NEW, "filesystem");
pub(crate) const UPDATE: Scenario = scenario(Before::Old, NEW, "per-file");
pub(crate) const NO_OP: Scenario = scenario(Before::New, NEW, "filesystem");
pub(crate) const HEAL: Scenario = scenario(Before::OldAndLeftovers, OLD, "filesystem");

impl Scenario {
    /// Makes a folder in the state that the run begins in.
    pub(crate) fn prepare(&self) -> Place {
        let place = Place::new();
        match self.before {
            Before::Nothing => {}
            Before::Old => place.publish(OLD, Outcome::Published),
            Before::New => place.publish(NEW, Outcome::Published),
            Before::OldAndLeftovers => {
                place.publish(NEW, Outcome::Published);
                place.publish_keeping(OLD, Outcome::Published);
                place.leave_unfinished();
            }
        }
        place
    }

    /// Returns the set that is shown before the run.
    pub(crate) fn old(&self) -> Option<Set> {
        match self.before {
            Before::Nothing => None,
            Before::Old | Before::OldAndLeftovers => Some(OLD),
            Before::New => Some(NEW),
        }
    }

    /// Asserts that a run with nothing in its way succeeds, and leaves nothing of what was before it.
    #[track_caller]
    pub(crate) fn assert_next_run_clears_up(&self, place: &Place, context: &str) {
        let set = self.sync.set;
        let unchanged = shown(&place.link()).unwrap() == Some(set);
        place.publish(set, if unchanged { Outcome::Unchanged } else { Outcome::Published });
        assert_eq!(shown(&place.link()).unwrap(), Some(set), "{context}");
        assert_eq!(place.names(), SETTLED, "{context}");
    }
}
