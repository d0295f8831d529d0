//! Readers beside the daemon: most take snapshots, and one runs a program on a pinned set.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use atomicdir::{FileName, Snapshot};

use super::EndAtDrop;
use crate::support::{Ran, Site};

pub(super) const READERS: usize = 4;

/// Each secret is in two files.
const PAIRS: [&str; 3] = ["aws", "file", "exec"];

/// Compares the two files of each pair: the first ones are read, then sets are flipped, then the second ones are read.
const PROGRAM: &str = "cd \"$SECRETDIR_PATH\" && aws=$(cat aws/one) && file=$(cat file/one) && exec=$(cat exec/one) && sleep 0.1 \
    && [ \"$aws\" = \"$(cat aws/other)\" ] && [ \"$file\" = \"$(cat file/other)\" ] && [ \"$exec\" = \"$(cat exec/other)\" ]";

pub(super) struct Reader<'s> {
    pub(super) site: &'s Site,
    pub(super) is_over: &'s AtomicBool,
    /// How many sets were read by all.
    pub(super) read: &'s AtomicU64,
}

impl Reader<'_> {
    /// Reads until all is over. If a pair is not one, all is over.
    pub(super) fn read(&self, number: usize) {
        let _over = EndAtDrop(self.is_over);
        while !self.is_over.load(Ordering::SeqCst) {
            match number {
                0 => self.run_a_program(),
                _ => self.take_a_snapshot(Duration::from_millis(70 * (number as u64 - 1))),
            }
            self.read.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn run_a_program(&self) {
        Ran::of(&mut self.site.command(&["exec", "--", "sh", "-c", PROGRAM])).expect_exit(0);
    }

    /// Lets so much time pass between the two files of a pair.
    fn take_a_snapshot(&self, pause: Duration) {
        let snapshot = Snapshot::open(self.site.link()).unwrap();
        let files = |which: &str| {
            PAIRS.map(|pair| snapshot.read(&FileName::new(format!("{pair}/{which}")).unwrap()).unwrap())
        };
        let one = files("one");
        thread::sleep(pause);
        assert!(one == files("other"), "a mixed set");
        assert!(one.iter().all(|value| !value.is_empty()));
    }
}
