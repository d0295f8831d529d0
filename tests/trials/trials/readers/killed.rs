//! A reader that is killed holds nothing any more: its pin keeps a generation until then, and the next run removes it.

use atomicdir::{Durability, Pin, Status};

use super::rounds::Rounds;
use crate::support::{Companion, Place, SETTLED};

#[test]
fn a_killed_reader_frees_its_pin() {
    let place = Place::new();
    let mut rounds = Rounds::open(&place.link(), 0, Durability::None);
    let pinned = rounds.publish();
    let mut reader = Companion::start(&["hold", place.link().to_str().unwrap()], |_| ());
    assert_eq!(reader.line(), "pinned");
    for _ in 0..3 {
        rounds.publish();
    }
    let status = Status::of(place.link()).unwrap();
    let superseded: Vec<_> = status.superseded.iter().map(|old| (&old.id, old.pin)).collect();
    assert_eq!(superseded, [(&pinned, Pin::Pinned)], "no other is left");

    reader.kill();
    rounds.publish();
    assert_eq!(place.names(), SETTLED);
}
