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
use proptest::test_runner::TestRunner;

/// How many histories, each of up to [`LONGEST`] events.
const HISTORIES: u32 = 300;
const LONGEST: usize = 24;

/// Finding the shortest history that fails takes no longer than this.
const SHRINKING: Duration = Duration::from_secs(60);

#[test]
fn every_history_goes_as_the_model_says() {
    let config = ProptestConfig {
        cases: HISTORIES,
        failure_persistence: None,
        max_shrink_time: u32::try_from(SHRINKING.as_millis()).unwrap(),
        ..ProptestConfig::default()
    };
    let histories = prop::collection::vec(event::event(), 1..=LONGEST);
    let held = TestRunner::new(config).run(&histories, |events| history::live(&events));
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

/// A mark on the current generation is healed away before the generation gets its time, and a kill may come between that and the
/// flip: found by the histories above.
#[test]
fn a_mark_on_the_current_generation_is_gone_when_it_gets_its_time() {
    for nth in 1..=3 {
        let [first, second] = [3, 1].map(|set| Run { set, retain: 0, durability: "none" });
        let disturbance = Disturbance { call: "renameat", nth, what: "signal=SIGKILL" };
        let meddling = Event::Meddle(Meddling::Mark(Whose::Current));
        let events = [Event::Run(first), meddling, Event::Clock(1), Event::Disturbed(second, disturbance)];
        history::live(&events).unwrap_or_else(|error| panic!("{disturbance:?}: {error}"));
    }
}
