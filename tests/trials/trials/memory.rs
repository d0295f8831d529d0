//! Fifty thousand files take no more memory than five hundred do: to publish, to retire, and to heal. To compare them with
//! what is wanted takes a pointer a file. What a caller keeps of them is his own affair.

use std::fs;
use std::process::Command;

use secretdir_testkit::Ran;

use crate::support::{PUBLISHER, Place, SETTLED};

const FEW: usize = 500;
const MANY: usize = 50_000;

/// In KiB. A heap grows by about half of it at a time; a pointer for each file takes more.
const MARGIN: u64 = 256;

#[test]
fn to_publish_takes_no_more() {
    assert_constant(|files| Place::new().takes(&["many", &files.to_string()]));
}

#[test]
fn to_retire_takes_no_more() {
    assert_constant(|files| {
        let place = Place::new();
        place.takes(&["many", &files.to_string()]);
        let taken = place.takes(&["many", "1"]);
        assert_eq!(place.names(), SETTLED);
        taken
    });
}

#[test]
fn to_heal_takes_no_more() {
    assert_constant(|files| {
        let place = Place::new();
        place.takes(&["many", &files.to_string()]);
        place.undo_the_flip();
        let taken = place.takes(&["many", "1"]);
        assert_eq!(place.names(), SETTLED);
        taken
    });
}

/// Which of the wanted names were found has to be remembered: in a set of pointers.
#[test]
fn to_compare_takes_a_pointer_a_file() {
    let [few, many] = [FEW, MANY].map(|files| {
        let place = Place::new();
        place.takes(&["many", &files.to_string()]);
        place.takes(&["compare", &files.to_string()])
    });
    let pointers = (MANY * 32 / 1024) as u64;
    assert!(many <= few + MARGIN + pointers, "{FEW} files take {few} KiB, {MANY} take {many} KiB");
}

#[track_caller]
fn assert_constant(taken: impl Fn(usize) -> u64) {
    let [few, many] = [FEW, MANY].map(taken);
    assert!(many <= few + MARGIN, "{FEW} files take {few} KiB, {MANY} take {many} KiB");
}

impl Place {
    /// Runs the program on the link, and returns how many KiB it says that it took.
    #[track_caller]
    fn takes(&self, arguments: &[&str; 2]) -> u64 {
        let [what, files] = arguments;
        let link = self.link();
        let ran = Ran::of(Command::new(PUBLISHER).arg(what).arg(link).arg(files)).expect_exit(0);
        ran.stdout.trim().parse().unwrap()
    }

    /// Leaves what a run leaves that was killed just before its first flip.
    fn undo_the_flip(&self) {
        let generation = fs::read_link(self.link()).unwrap();
        let mark = generation.to_str().unwrap().replace(".gen-", ".tmp-");
        fs::rename(self.link(), self.path().join(mark)).unwrap();
    }
}
