//! Four readers, of whom one is another user, read through snapshots while a publisher does nothing but flip, and keeps
//! nothing for them: opening never fails, no set is mixed, no file is missing, also long after it was superseded, and no
//! generation outlives its last pin by more than one run.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use atomicdir::{Durability, FileName, Snapshot};
use rustix::fs::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use secretdir_testkit::{OTHER_USER, PATIENCE, Ran, is_root};

use super::Ends;
use super::ledger::{self, Ledger, Log, Reading};
use super::rounds::{self, Rounds};
use crate::support::{Place, SETTLED};

/// Over how many runs each reader holds its snapshot.
const READERS: [u32; 4] = [0, 1, 5, 30];

/// How many snapshots they take at least in all.
const LEAST_SNAPSHOTS: u32 = 3000;

/// Which of them is another user, where the test may be somebody else.
const STRANGER: usize = 1;

/// Where the filesystem of the test's second half is mounted.
const DISK: &str = "ATOMICDIR_TRIALS_DISK";

#[test]
fn no_set_is_mixed_on_tmpfs() {
    let place = Place::new();
    let stranger = is_root("no_set_is_mixed_on_tmpfs, as another user").then_some(OTHER_USER);
    flip_under_readers(&place, 100_000, stranger);
}

#[test]
fn no_set_is_mixed_on_ext4() {
    if let Some(disk) = std::env::var_os(DISK) {
        return flip_under_readers(&Place::in_folder(Path::new(&disk)), 10_000, Some(OTHER_USER));
    }
    if is_root("no_set_is_mixed_on_ext4") {
        again_on_ext4("readers::snapshots::no_set_is_mixed_on_ext4");
    }
}

/// Runs a test again on a filesystem that only its own process sees, so that nothing stays mounted however it ends.
fn again_on_ext4(test: &str) {
    let place = Place::new();
    let script =
        "truncate -s 64M image; mkfs.ext4 -q image; mkdir disk; chmod 755 disk; mount -o loop image disk
        exec \"$0\" --exact \"$1\"";
    let mut child = Command::new("unshare");
    child.args(["--mount", "sh", "-euc", script]).arg(std::env::current_exe().unwrap()).arg(test);
    let ran = Ran::of(child.current_dir(place.path()).env(DISK, place.path().join("disk")));
    assert!(ran.status.success() && ran.stdout.contains("1 passed"), "{ran:?}; tests/run installs mkfs.ext4");
}

fn flip_under_readers(place: &Place, flips: u32, stranger: Option<u32>) {
    let link = place.link();
    let mut rounds = Rounds::open(&link, 0, Durability::None);
    let snapshots = AtomicU32::new(0);
    let lacking = READERS.map(|hold| AtomicU32::new(least(flips, hold)));
    let scene =
        Scene { link: &link, run: AtomicU32::new(1), over: AtomicBool::new(false), lacking, snapshots };
    let mut ledger = Ledger::begin(place.path(), &rounds.publish());
    let logs = thread::scope(|scope| {
        let read = |index: usize, hold| {
            let (scene, user) = (&scene, stranger.filter(|_| index == STRANGER));
            scope.spawn(move || scene.read(index, hold, user))
        };
        let readers: Vec<_> = (0..).zip(READERS).map(|(index, hold)| read(index, hold)).collect();
        scene.flip(&mut rounds, &mut ledger, flips);
        readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>()
    });
    ledger.assert_explained(&logs);
    assert_read_enough(&ledger, &logs, flips);
    rounds.sweep();
    assert_eq!(place.names(), SETTLED);
}

/// Returns how many different sets a reader reads at least that holds each over so many runs.
fn least(flips: u32, hold: u32) -> u32 {
    flips / 20 / (hold + 1)
}

/// Asserts that the readers were there, and in the publisher's way.
fn assert_read_enough(ledger: &Ledger, logs: &[Log], flips: u32) {
    for (log, hold) in logs.iter().zip(READERS) {
        let least = usize::try_from(least(flips, hold)).unwrap();
        assert!(ledger::distinct(log) >= least, "held over {hold}: {} of {least}", ledger::distinct(log));
    }
    let snapshots: usize = logs.iter().map(Vec::len).sum();
    assert!(snapshots >= LEAST_SNAPSHOTS as usize, "{snapshots}");
    assert!(ledger.longest_kept() >= 20, "{}", ledger.longest_kept());
}

/// What a publisher and its readers share.
struct Scene<'a> {
    link: &'a Path,
    /// The run that is under way, or was the last.
    run: AtomicU32,
    over: AtomicBool,
    /// How many different sets each reader is yet to see.
    lacking: [AtomicU32; READERS.len()],
    /// How many snapshots all of them have taken.
    snapshots: AtomicU32,
}

impl Scene<'_> {
    fn flip(&self, rounds: &mut Rounds, ledger: &mut Ledger, flips: u32) {
        let _ends = Ends(&self.over);
        // All of them, and more until each reader has seen enough, unless one fails. A busy machine takes longer for that.
        let is_enough = |run| run >= flips + 2 && self.have_read_enough();
        let started = Instant::now();
        for run in (2..).take_while(|run| !is_enough(*run) && !self.over.load(SeqCst)) {
            assert!(started.elapsed() < 4 * PATIENCE, "a reader does not get on: {:?}", self.lacking);
            self.run.store(run, SeqCst);
            let current = rounds.publish();
            ledger.look(run, &current);
        }
    }

    fn have_read_enough(&self) -> bool {
        self.snapshots.load(SeqCst) >= LEAST_SNAPSHOTS
            && self.lacking.iter().all(|sets| sets.load(SeqCst) == 0)
    }

    fn read(&self, index: usize, hold: u32, user: Option<u32>) -> Log {
        let _ends = Ends(&self.over);
        if let Some(user) = user {
            self.become_reader(user);
        }
        let mut log = Log::new();
        while !self.over.load(SeqCst) {
            let reading = self.take_snapshot(hold);
            if log.last().is_none_or(|last: &Reading| last.round < reading.round) {
                let count_down = |lacking: u32| lacking.checked_sub(1);
                let _ = self.lacking[index].fetch_update(SeqCst, SeqCst, count_down);
            }
            self.snapshots.fetch_add(1, SeqCst);
            log.push(reading);
        }
        log
    }

    fn take_snapshot(&self, hold: u32) -> Reading {
        let began = self.run.load(SeqCst);
        let snapshot = Snapshot::open(self.link).unwrap();
        let opened = self.run.load(SeqCst);
        let file = |name: &str| Ok::<_, io::Error>(snapshot.read(&FileName::new(name).unwrap()).unwrap());
        let [one, other] = rounds::read(file, || self.pass(opened + hold)).unwrap();
        assert_eq!(one, other, "mixed");
        drop(snapshot);
        Reading { began, opened, round: one, ended: self.run.load(SeqCst) }
    }

    /// Lets runs pass, up to this one.
    fn pass(&self, run: u32) {
        while self.run.load(SeqCst) < run && !self.over.load(SeqCst) {
            thread::sleep(Duration::from_micros(50));
        }
    }

    /// Makes this thread, and no other, that of a user who may read and no more.
    fn become_reader(&self, user: u32) {
        let (user, group) = (Uid::from_raw(user), Gid::from_raw(user));
        set_thread_groups(&[]).unwrap();
        set_thread_res_gid(group, group, group).unwrap();
        set_thread_res_uid(user, user, user).unwrap();
        for name in ["a", "new", "../new"] {
            let error = fs::write(self.link.join(name), "").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{name}");
        }
    }
}
