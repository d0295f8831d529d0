//! The order of the protocol's calls: the temporary link is made first, then everything else, then all of it is synced,
//! then the link is flipped, then the flip is synced, and only then is anything removed.

use atomicdir_trials::{Outcome, Set};
use secretdir_testkit::strace::{Call, Trace};

use crate::support::{PUBLISHER, Place, Sync};

/// Three files with something in them, a note, and three directories, the generation's own among them.
const UPDATE: Sync = Sync { set: Set(2), retain: 0, durability: "filesystem" };

fn update(durability: &'static str) -> Vec<Call> {
    let place = Place::new();
    place.publish(Set(1), Outcome::Published);
    let trace = Sync { durability, ..UPDATE }.trace(&place);
    assert_eq!(trace.ran.status.code(), Some(Outcome::Published as i32), "{:?}", trace.ran);
    trace.calls
}

fn positions(calls: &[Call], wanted: impl Fn(&Call) -> bool) -> Vec<usize> {
    let found = calls.iter().enumerate().filter(|(_, call)| wanted(call));
    found.map(|(position, _)| position).collect()
}

fn named(name: &str) -> impl Fn(&Call) -> bool {
    move |call| call.name == name
}

#[track_caller]
fn only(calls: &[Call], name: &str) -> usize {
    let found = positions(calls, named(name));
    assert_eq!(found.len(), 1, "{name}: {calls:#?}");
    found[0]
}

/// Whatever makes or fills something. Retiring makes a mark, too, after the flip.
fn makes(call: &Call) -> bool {
    matches!(call.name.as_str(), "mkdirat" | "write" | "fchmod" | "symlinkat")
        || call.line.contains("O_CREAT")
}

#[test]
fn everything_is_made_then_synced_then_flipped_then_settled_then_retired() {
    let calls = update("filesystem");
    let (synced, flipped, settled) =
        (only(&calls, "syncfs"), only(&calls, "renameat"), only(&calls, "fsync"));
    assert!(synced < flipped && flipped < settled, "{calls:#?}");
    let made = positions(&calls, makes);
    assert_eq!(calls[made[0]].name, "symlinkat", "the mark comes first: {calls:#?}");
    let later: Vec<_> = made.iter().filter(|made| **made > synced).map(|made| &calls[*made]).collect();
    assert_eq!(later.len(), 1, "only the mark of what is being retired: {calls:#?}");
    assert!(later[0].name == "symlinkat" && made[made.len() - 1] > settled, "{calls:#?}");
    let removed = positions(&calls, named("unlinkat"));
    assert!(removed.len() > 5 && removed.iter().all(|removed| *removed > settled), "{calls:#?}");
}

#[test]
fn nothing_gets_its_mode_twice() {
    let calls = update("none");
    // Four files, three directories and the note.
    assert_eq!(positions(&calls, named("fchmod")).len(), 4 + 3 + 1, "{calls:#?}");
}

#[test]
fn per_file_syncs_each_file_each_directory_the_note_and_the_parent() {
    let calls = update("per-file");
    assert!(positions(&calls, named("syncfs")).is_empty());
    let flipped = only(&calls, "renameat");
    let synced = positions(&calls, named("fsync"));
    let (before, after): (Vec<usize>, Vec<usize>) = synced.into_iter().partition(|synced| *synced < flipped);
    // The record, four files, three directories, the note with its name, and the parent, last.
    assert_eq!((before.len(), after.len()), (1 + 4 + 3 + 2 + 1, 1), "{calls:#?}");
    for position in &before {
        let call = &calls[*position];
        let descriptor = call.line.trim_start_matches("fsync(").split(')').next().unwrap();
        let closed = format!("close({descriptor})");
        let still_open = calls[*position..flipped].iter().take_while(|call| !call.line.starts_with(&closed));
        let changes = still_open.filter(|call| makes(call) && call.line.contains(&format!("({descriptor},")));
        // What is made in a directory afterwards would not be synced; the parent takes no more names at all.
        assert_eq!(changes.filter(|call| call.name != "openat").count(), 0, "{call:?}: {calls:#?}");
    }
    let (_, parent) = calls[0].line.rsplit_once("= ").unwrap();
    let last = &calls[before[before.len() - 1]];
    assert!(last.line.starts_with(&format!("fsync({parent})")), "the parent last: {calls:#?}");
}

#[test]
fn without_durability_nothing_is_synced() {
    let calls = update("none");
    assert!(positions(&calls, |call| call.name.contains("sync")).is_empty(), "{calls:#?}");
}

#[test]
fn a_note_is_replaced_as_durably_as_everything_is_published() {
    for (durability, syncs) in [("none", 0), ("per-file", 2), ("filesystem", 2)] {
        let place = Place::new();
        place.publish(Set(1), Outcome::Published);
        let link = place.link().to_str().unwrap().to_owned();
        let trace = Trace::of(PUBLISHER, &["note", &link, "new", durability], |_| ());
        assert!(trace.ran.status.success(), "{:?}", trace.ran);
        let (synced, renamed) = (positions(&trace.calls, named("fsync")), only(&trace.calls, "renameat"));
        assert_eq!(synced.len(), syncs, "{durability}: {:#?}", trace.calls);
        assert!(synced.is_empty() || (synced[0] < renamed && renamed < synced[1]), "{:#?}", trace.calls);
    }
}
