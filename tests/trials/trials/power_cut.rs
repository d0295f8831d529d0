//! A power cut after every system call of a run, on ext4, XFS and btrfs: with durabilities `filesystem` and `per-file`
//! the link then names a complete old or a complete new set, with its note, and from the end of step 10 on the new one;
//! and the next run on what is left succeeds and clears up.
//!
//! A publisher is held after each of its calls, and the disk copied as it is: what has not been written to it is lost.
//! Each copy is mounted, which replays its journal, and looked at. The filesystem's own timer may commit metadata at any
//! moment, without the data that belongs to it; so there is a history in which it never does, one in which it does right
//! after the flip, and one in which it does after every call.
//!
//! The trial must notice what it is there for. A barrier or a settling that does nothing shows on every one of the three
//! filesystems. A temporary link that is made after the barrier does not on those of Linux 6.18, which commit the making of
//! a link and its renaming together or in this order, even where its target is too long for the inode; what gives it
//! away is the order of the calls.

mod disk;
mod held;
mod history;
mod imitation;
mod run;

use std::path::Path;
use std::process::Command;

use secretdir_testkit::{Ran, is_root};
use tempfile::TempDir;

use crate::scenarios::{FIRST_PUBLISH, Scenario, UPDATE};
use disk::{Disk, Filesystem};
use history::Commits;
use imitation::Order;
use run::{Run, Wrong, assert_note_is_complete};

/// Where the mounts of a test are that has mounts of its own.
const FOLDER: &str = "ATOMICDIR_POWER_CUT_FOLDER";

const DURABILITIES: [&str; 2] = ["filesystem", "per-file"];

/// So long that the target of the link does not fit into an inode of ext4, which takes 59 bytes.
const LONG_NAME: usize = 220;

#[test]
fn ext4_keeps_a_complete_set() {
    alone("ext4_keeps_a_complete_set", |folder| keeps_a_complete_set(Filesystem::Ext4, folder));
}

#[test]
fn xfs_keeps_a_complete_set() {
    alone("xfs_keeps_a_complete_set", |folder| keeps_a_complete_set(Filesystem::Xfs, folder));
}

#[test]
fn btrfs_keeps_a_complete_set() {
    alone("btrfs_keeps_a_complete_set", |folder| keeps_a_complete_set(Filesystem::Btrfs, folder));
}

fn keeps_a_complete_set(filesystem: Filesystem, folder: &Path) {
    let disk = Disk::format(filesystem, folder);
    for durability in DURABILITIES {
        for scenario in [FIRST_PUBLISH, UPDATE].map(|scenario| with(scenario, durability)) {
            // At the least nothing, the set, and the flip; with commits, whatever they bring.
            for (commits, least) in Commits::ALL.into_iter().zip([3, 3, 30]) {
                let run = Run::of_publisher(&disk, &scenario, commits, &[]);
                let cuts = run.cuts();
                assert!(cuts >= least, "{cuts} with {scenario:?} and {commits:?}");
                let wrongs = run.wrongs(&disk, &|place, context| {
                    assert_note_is_complete(place, context);
                    scenario.assert_next_run_clears_up(place, context);
                });
                assert!(wrongs.is_empty(), "{filesystem:?}, {scenario:?}, {commits:?}: {wrongs:#?}");
            }
        }
    }
}

#[test]
fn a_barrier_that_does_nothing_is_noticed() {
    alone("a_barrier_that_does_nothing_is_noticed", |folder| {
        for disk in Filesystem::ALL.map(|filesystem| Disk::format(filesystem, folder)) {
            for durability in DURABILITIES {
                let call = if durability == "filesystem" { "syncfs" } else { "fsync" };
                let run = run_without(call, durability, &disk, Commits::AfterTheFlip);
                let wrongs = run.wrongs(&disk, &|_, _| ());
                let is_noticed = wrongs.iter().any(|wrong| matches!(wrong, Wrong::Torn(..)));
                assert!(is_noticed, "{:?}, {durability}: {wrongs:#?}", disk.filesystem);
            }
        }
    });
}

#[test]
fn a_settling_that_does_nothing_is_noticed() {
    alone("a_settling_that_does_nothing_is_noticed", |folder| {
        for disk in Filesystem::ALL.map(|filesystem| Disk::format(filesystem, folder)) {
            let run = run_without("fsync", "filesystem", &disk, Commits::Never);
            let wrongs = run.wrongs(&disk, &assert_note_is_complete);
            let is_lost = |wrong: &Wrong| matches!(wrong, Wrong::Other(found, _) if *found == UPDATE.old());
            let is_noticed = wrongs.iter().any(is_lost);
            assert!(is_noticed, "{:?}: {wrongs:#?}", disk.filesystem);
        }
    });
}

#[test]
fn a_link_that_is_made_after_the_barrier_is_noticed() {
    alone("a_link_that_is_made_after_the_barrier_is_noticed", |folder| {
        for disk in Filesystem::ALL.map(|filesystem| Disk::format(filesystem, folder)) {
            for name in ["app", &"x".repeat(LONG_NAME)] {
                for commits in Commits::ALL {
                    let wrongs =
                        |order| Run::of_imitation(&disk, name, order, commits).wrongs(&disk, &|_, _| ());
                    let right = wrongs(Order::LinkBeforeBarrier);
                    assert!(right.is_empty(), "{:?}: {right:#?}", disk.filesystem);
                    let wrong = wrongs(Order::LinkAfterBarrier);
                    let is_noticed = matches!(*wrong, [Wrong::LinkUnsynced(_), ..]);
                    assert!(is_noticed, "{:?}: {wrong:#?}", disk.filesystem);
                }
            }
        }
    });
}

fn with(mut scenario: Scenario, durability: &'static str) -> Scenario {
    scenario.sync.durability = durability;
    scenario
}

/// Updates with all calls of a name doing nothing, and saying that they did it.
fn run_without(call: &str, durability: &'static str, disk: &Disk, commits: Commits) -> Run {
    let fault = format!("{call}:retval=0:signal=SIGSTOP");
    Run::of_publisher(disk, &with(UPDATE, durability), commits, &[fault])
}

/// Runs a test again, with a mount namespace and a tmpfs of its own: whatever becomes of it, nothing stays mounted.
fn alone(test: &str, trial: impl FnOnce(&Path)) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return trial(Path::new(&folder));
    }
    if !is_root(test) {
        return;
    }
    let folder = TempDir::new().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=2g tmpfs \"${FOLDER}\"
        exec \"$TEST\" --exact power_cut::{test}"
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-euc", &script]);
    command.env("TEST", std::env::current_exe().unwrap()).env(FOLDER, folder.path());
    let ran = Ran::of(&mut command);
    let passed = ran.status.success() && ran.stdout.contains("1 passed");
    assert!(passed, "{}\n{}", ran.stdout, ran.stderr);
}
