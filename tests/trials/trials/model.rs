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
