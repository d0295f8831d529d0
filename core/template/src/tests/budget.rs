//! What was paid is gone.

use crate::budget::{Budget, Stop};
use crate::error::Fault;

#[test]
fn what_was_paid_is_gone_and_more_than_is_left_is_refused() {
    let mut budget = Budget::new(5, Stop::default());
    assert_eq!(budget.spend(3), Ok(()));
    assert_eq!(budget.ensure_text(129), Err(Fault::OutOfFuel { fuel: 5 }));
    assert_eq!(budget.ensure_text(128), Ok(()));
    assert_eq!(budget.spend_text(65), Ok(()));
    assert_eq!(budget.spend_text(0), Ok(()));
    assert_eq!(budget.spend(1), Err(Fault::OutOfFuel { fuel: 5 }));
    assert_eq!(Budget::new(5, Stop::default()).spend(usize::MAX), Err(Fault::OutOfFuel { fuel: 5 }));
}

#[test]
fn nothing_is_done_after_a_stop() {
    let stop = Stop::default();
    let mut budget = Budget::new(5, stop.clone());
    assert_eq!(budget.spend(1), Ok(()));
    stop.set();
    assert_eq!(budget.spend(1), Err(Fault::Stopped));
}
