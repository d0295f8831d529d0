//! The bytes that a publisher keeps beside a generation.

use std::fs;

use atomicdir::{Options, Refusal};

use crate::support::{Place, at};

/// The longest note, in bytes.
const LONGEST: usize = 16 << 20;

#[test]
fn a_note_is_as_long_as_it_may_be_and_no_longer() {
    let place = Place::new();
    let dir = place.open(Options::new());
    let mut locked = dir.try_lock(&|| at(0)).unwrap().unwrap();
    let longest = vec![7; LONGEST];
    let published = locked.stage().unwrap().publish(Some(&longest), &|| at(0)).unwrap();
    assert_eq!(locked.current(), Some(&published.generation));
    assert!(dir.note(&published.generation).unwrap() == Some(longest));

    let too_long = vec![7; LONGEST + 1];
    let before = place.names();
    let refused = locked.replace_note(&too_long).unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::NoteTooLong(LONGEST as u64)));
    let refused = locked.stage().unwrap().publish(Some(&too_long), &|| at(1)).unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::NoteTooLong(LONGEST as u64)));
    assert_eq!(place.names(), before, "nothing of a note that was refused is left");

    fs::write(place.path().join(format!(".app.state/note-{}", published.generation)), too_long).unwrap();
    let refused = dir.note(&published.generation).unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::NoteTooLong(LONGEST as u64)));
}
