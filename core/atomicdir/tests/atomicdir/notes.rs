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
    let mut locked = place.lock(&dir, at(0));
    let longest = vec![7; LONGEST];
    let published = locked.stage().unwrap().publish(Some(&longest)).unwrap();
    assert_eq!(locked.current(), Some(&published.generation));
    assert!(locked.note().unwrap() == Some(longest));

    let too_long = vec![7; LONGEST + 1];
    let before = place.names();
    let refused = locked.replace_note(&too_long).unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::NoteTooLong(LONGEST as u64)));
    let refused = locked.stage().unwrap().publish(Some(&too_long)).unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::NoteTooLong(LONGEST as u64)));
    assert_eq!(place.names(), before, "nothing of a note that was refused is left");

    fs::write(place.path().join(format!(".app.state/note-{}", published.generation)), too_long).unwrap();
    let refused = locked.note().unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::NoteTooLong(LONGEST as u64)));
}
