//! What may happen to a link, as plain data, so that a history can be shrunk.

use proptest::prelude::*;
use proptest::sample::select;

/// One event of a history. One that has nothing to happen to is passed over.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A run that nobody disturbs.
    Run(Run),
    /// A run of the same set as the last one.
    RunAgain(Run),
    /// A run that is killed, or lied to, at one of its calls.
    Disturbed(Run, Disturbance),
    /// The clock goes on, or back, by so many seconds.
    Clock(i64),
    /// A reader opens the link and stays.
    Pin,
    /// A reader goes.
    Unpin(usize),
    /// Somebody changes something by hand.
    Meddle(Meddling),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) set: u32,
    /// In seconds.
    pub(super) retain: u32,
    pub(super) durability: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Disturbance {
    pub(super) call: &'static str,
    /// Counted from the opening of the folder on.
    pub(super) nth: usize,
    /// As strace says it.
    pub(super) what: &'static str,
}

/// Which generation, and what belongs to it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whose {
    Current,
    /// One of the others, counted round and round.
    Other(usize),
    /// Of none: the ID is new.
    Nobody,
}

#[derive(Clone, Debug)]
pub(super) enum Meddling {
    /// Plants a mark as a run would make it, or a file in its place.
    Mark(Whose),
    OddMark(Whose),
    RemoveMark(Whose),
    /// Plants a note, or a directory in its place.
    Note(Whose),
    OddNote(Whose),
    RemoveNote(Whose),
    /// Plants a directory under a generation's name, of this age in seconds; or a file.
    Generation(i64),
    OddGeneration,
    RemoveGeneration(Whose),
    Change(Whose, Change),
    RemoveLink,
    /// Puts the link on another generation.
    LinkTo(Whose),
    OddLink(OddLink),
    RemoveLock,
    /// Plants something under a name that is almost ours.
    Stranger(&'static str),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Bytes,
    Mode,
    Extra,
    ExtraDirectory,
    Missing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OddLink {
    File,
    Directory,
    Elsewhere,
}

/// Calls that change something, and those that a run looks with.
const CALLS: &[&str] = &[
    "symlinkat",
    "mkdirat",
    "openat",
    "write",
    "fchmod",
    "close",
    "syncfs",
    "fsync",
    "renameat",
    "renameat2",
    "utimensat",
    "unlinkat",
    "flock",
    "readlinkat",
    "getdents64",
];

/// Calls that a filesystem may let fail. What each of them does then, and every other call, is tried in `failures`.
const FAILING: &[&str] = &["mkdirat", "write", "fchmod", "close", "syncfs", "fsync", "renameat", "unlinkat"];

const STRANGERS: &[&str] = &[
    ".app.gen-0123456789abcde",
    ".app.gen-0123456789abcde_",
    ".app.gem-0123456789abcdef",
    ".appx.gen-0123456789abcdef",
    ".other.gen-0123456789abcdef",
    ".app.note-0123456789abcdef",
    ".app.tmp-",
    ".app.state~",
    "app.gen-0123456789abcdef",
];

pub(super) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => run().prop_map(Event::Run),
        3 => run().prop_map(Event::RunAgain),
        3 => (run(), disturbance()).prop_map(|(run, disturbance)| Event::Disturbed(run, disturbance)),
        2 => select(vec![1, 59, 61, 3601, 7200, -1, -61, -7200]).prop_map(Event::Clock),
        2 => Just(Event::Pin),
        1 => (0..8_usize).prop_map(Event::Unpin),
        4 => meddling().prop_map(Event::Meddle),
    ]
}

fn run() -> impl Strategy<Value = Run> {
    let retain = select(vec![0, 60, 3600]);
    let durability = select(vec!["none", "per-file", "filesystem"]);
    (1..=3_u32, retain, durability).prop_map(|(set, retain, durability)| Run { set, retain, durability })
}

fn disturbance() -> impl Strategy<Value = Disturbance> {
    let kill = (select(CALLS), 1..=12_usize, Just("signal=SIGKILL"));
    let fail = (select(FAILING), 1..=8_usize, select(vec!["error=EIO", "error=ENOSPC"]));
    prop_oneof![3 => kill, 1 => fail].prop_map(|(call, nth, what)| Disturbance { call, nth, what })
}

fn meddling() -> impl Strategy<Value = Meddling> {
    prop_oneof![
        2 => whose().prop_map(Meddling::Mark),
        1 => whose().prop_map(Meddling::OddMark),
        1 => whose().prop_map(Meddling::RemoveMark),
        1 => whose().prop_map(Meddling::Note),
        1 => whose().prop_map(Meddling::OddNote),
        1 => whose().prop_map(Meddling::RemoveNote),
        2 => select(vec![-7200, 0, 59, 60, 3600]).prop_map(Meddling::Generation),
        1 => Just(Meddling::OddGeneration),
        1 => whose().prop_map(Meddling::RemoveGeneration),
        2 => (whose(), change()).prop_map(|(whose, change)| Meddling::Change(whose, change)),
        1 => Just(Meddling::RemoveLink),
        1 => whose().prop_map(Meddling::LinkTo),
        1 => select(vec![OddLink::File, OddLink::Directory, OddLink::Elsewhere]).prop_map(Meddling::OddLink),
        1 => Just(Meddling::RemoveLock),
        1 => select(STRANGERS).prop_map(Meddling::Stranger),
    ]
}

fn whose() -> impl Strategy<Value = Whose> {
    prop_oneof![2 => Just(Whose::Current), 2 => (0..8_usize).prop_map(Whose::Other), 1 => Just(Whose::Nobody)]
}

fn change() -> impl Strategy<Value = Change> {
    select(vec![Change::Bytes, Change::Mode, Change::Extra, Change::ExtraDirectory, Change::Missing])
}
