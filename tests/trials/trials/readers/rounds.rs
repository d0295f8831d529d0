//! Rounds: each run publishes a set that none before it did, and every file of the set says which.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use atomicdir::{AtomicDir, Attributes, Durability, FileName, Id, Mode, NewFile, Options, Published};

/// A file of every set, and one in a directory that is longer than a page.
pub(super) const FILES: [(&str, usize); 2] = [("a", 1), ("d/b", 400)];

/// A publisher of rounds. Its clock counts them: a round takes a second.
pub(super) struct Rounds {
    dir: AtomicDir,
    round: Arc<AtomicU32>,
}

impl Rounds {
    /// Opens the folder for a publisher that keeps what was superseded less than so many rounds ago.
    pub(super) fn open(link: &Path, keep: u64, durability: Durability) -> Self {
        let retain = Duration::from_secs(keep);
        let options = Options::new().retain(retain).durability(durability).directory(attributes(0o755));
        let round = Arc::new(AtomicU32::new(0));
        let clock = Arc::clone(&round);
        let options = options.clock(move || now(clock.load(Ordering::SeqCst)));
        Self { dir: options.open(link).unwrap(), round }
    }

    /// Publishes the next round, and returns its generation.
    pub(super) fn publish(&mut self) -> Id {
        let round = self.round.fetch_add(1, Ordering::SeqCst) + 1;
        let mut locked = self.dir.try_lock().unwrap();
        let mut staging = locked.stage().unwrap();
        for (name, lines) in FILES {
            let text = text(round, lines);
            let file = NewFile::new(text.as_bytes(), attributes(0o444));
            staging.write(&FileName::new(name).unwrap(), file).unwrap();
        }
        let Published { generation, unsettled, .. } = staging.publish(Some(b"note")).unwrap();
        assert!(unsettled.is_none(), "{unsettled:?}");
        locked.record_success().unwrap();
        generation
    }

    /// Makes a run that publishes nothing, but removes what is due.
    pub(super) fn sweep(&self) {
        drop(self.dir.try_lock().unwrap());
    }
}

fn now(round: u32) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + u64::from(round))
}

fn attributes(mode: u32) -> Attributes {
    Attributes::with_mode(Mode::new(mode).unwrap())
}

fn text(round: u32, lines: usize) -> String {
    format!("round {round}\n").repeat(lines)
}

/// Reads the files of a set, one after the other, with something done after the first. Returns the round of each.
pub(super) fn read(
    mut open: impl FnMut(&str) -> io::Result<Vec<u8>>,
    then: impl FnOnce(),
) -> io::Result<[u32; 2]> {
    let [(first, lines), (second, more)] = FILES;
    let one = round_of(&open(first)?, lines);
    then();
    Ok([one, round_of(&open(second)?, more)])
}

/// Returns the round that a file says it is of, once it is all there.
#[track_caller]
fn round_of(bytes: &[u8], lines: usize) -> u32 {
    let found = std::str::from_utf8(bytes).unwrap();
    let round = found.lines().next().and_then(|line| line.strip_prefix("round ")?.parse().ok());
    let round = round.unwrap_or_else(|| panic!("no round in {found:?}"));
    assert!(found == text(round, lines), "round {round} is not all there: {found:?}");
    round
}
