//! Random histories of one link, of everything that may happen to it: runs, runs that are killed or lied to at one of
//! their calls, readers that pin, a clock that jumps, options that change, and somebody who meddles with the folder.
//!
//! A model that is plain data ([`state`]) says after each event what must stand in the folder, which set each generation
//! holds and since when, how the run ended and what `Status` tells; of a run that was disturbed it says what may stand
//! there ([`disturbed`]), and goes on from what does. A history that fails is shrunk to the shortest one that does.

mod disturbed;
mod event;
mod history;
mod meddling;
mod observed;
mod state;

use std::time::Duration;

use event::{Disturbance, Event, Meddling, Run, Whose};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

/// How many histories, each of up to [`LONGEST`] events.
const HISTORIES: u32 = 300;
const LONGEST: usize = 24;

/// Finding the shortest history that fails takes no longer than this.
const SHRINKING: Duration = Duration::from_secs(60);

/// Set to anything, this draws other histories in each run. Otherwise they are the same ones everywhere: what fails once fails again.
const OTHERS: &str = "SECRETDIR_TRIALS_OTHER_HISTORIES";

#[test]
fn every_history_goes_as_the_model_says() {
    let config = ProptestConfig {
        cases: HISTORIES,
        failure_persistence: None,
        max_shrink_time: u32::try_from(SHRINKING.as_millis()).unwrap(),
        ..ProptestConfig::default()
    };
    let histories = prop::collection::vec(event::event(), 1..=LONGEST);
    let mut runner = match std::env::var_os(OTHERS) {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let held = runner.run(&histories, |events| history::live(&events));
    held.unwrap_or_else(|error| panic!("{error}"));
}

/// A link that names no generation leaves nothing behind but what a run would make anyway: found by the histories above.
#[test]
fn a_link_to_nobody_is_superseded_without_a_mark() {
    let run = Run { set: 1, retain: 0, durability: "none" };
    let disturbances = ["unlinkat", "symlinkat"].into_iter().flat_map(|call| {
        let nth = 1..=3;
        nth.map(move |nth| Disturbance { call, nth, what: "error=EIO" })
    });
    for disturbance in disturbances {
        let events = [Event::Meddle(Meddling::LinkTo(Whose::Nobody)), Event::Disturbed(run, disturbance)];
        history::live(&events).unwrap_or_else(|error| panic!("{disturbance:?}: {error}"));
    }
}
