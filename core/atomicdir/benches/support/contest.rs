//! One contestant: does a case again and again, and says how long each time took.

use std::time::{Duration, Instant};

use atomicdir::Durability;

use crate::support::bare::{self, Bare};
use crate::support::place::{Ground, Place};
use crate::support::{Case, Work};

/// By whom a case is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    AtomicDir,
    BareCalls,
}

/// A case, a place of its own, and who does it there.
pub(crate) struct Contest<'g> {
    case: Case,
    who: Who,
    place: Place<'g>,
}

impl<'g> Contest<'g> {
    /// Prepares a place, and asserts that the case is really done there.
    pub(crate) fn new(ground: &'g Ground, case: Case, who: Who) -> Self {
        let contest = Self { case, who, place: Place::new(ground, case.files) };
        contest.once();
        contest.place.assert_complete();
        contest
    }

    /// Does it once. What prepares it and what tidies up after it is not counted.
    pub(crate) fn once(&self) -> Duration {
        let superseded = self.place.current();
        match self.case.work {
            Work::Publish(durability) => {
                let took = self.publish(durability);
                self.place.put_aside(&superseded);
                if durability != Durability::None {
                    self.place.settle();
                }
                took
            }
            Work::Retire => {
                self.place.publish(Durability::None);
                self.place.settle();
                self.retire(&superseded)
            }
        }
    }

    fn publish(&self, durability: Durability) -> Duration {
        match self.who {
            Who::AtomicDir => time(|| self.place.publish(durability)),
            Who::BareCalls => {
                let bare = Bare::new(&self.place);
                time(|| bare.publish(&self.place.files, durability).unwrap())
            }
        }
    }

    fn retire(&self, superseded: &str) -> Duration {
        match self.who {
            Who::AtomicDir => time(|| self.place.retire(1)),
            Who::BareCalls => {
                let remove = bare::remove(self.place.folder(), superseded);
                time(|| remove().unwrap())
            }
        }
    }
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
