//! Whom a publisher may meet: a reader, somebody who locks whatever he can, and other publishers.
//!
//! They say on standard output how far they are, and wait for the end of standard input.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use atomicdir::{Durability, Options, Snapshot};
use atomicdir_trials::{Outcome, Set, publish};
use rustix::fs::{FlockOperation, OFlags, flock};

/// How many sets a storm publishes: few, so that a run often finds that another one has published its set.
const SETS: u32 = 3;

/// The time of all runs of a storm, in seconds after 1970. A clock that each run reads before it has the lock would show
/// times in the past of what the others write, and what was superseded in the future counts as due.
const NOW: Duration = Duration::from_secs(1_700_000_000);

/// How long to pause between two runs, so that others get their turn.
const PAUSE: Duration = Duration::from_millis(1);

/// Holds a snapshot: says `pinned`, and ends with its input.
pub(crate) fn hold(link: &Path) -> Result<(), Box<dyn Error>> {
    let snapshot = Snapshot::open(link)?;
    say("pinned")?;
    input_ends()?;
    drop(snapshot);
    Ok(())
}

/// Takes an exclusive lock on the parent and on everything in it that can be opened, again and again until the input
/// ends. Says each name that it has locked.
pub(crate) fn grab(link: &Path) -> Result<(), Box<dyn Error>> {
    let parent = link.parent().ok_or("a link without a parent")?;
    let input = thread::spawn(input_ends);
    let mut grabbed = BTreeMap::new();
    while !input.is_finished() {
        let names = fs::read_dir(parent)?.map(|entry| Ok(entry?.file_name()));
        let names: Vec<OsString> = names.collect::<io::Result<_>>()?;
        for name in std::iter::once(".".into()).chain(names) {
            if !grabbed.contains_key(&name)
                && let Some(file) = grab_one(&parent.join(&name))
            {
                say(&name.to_string_lossy())?;
                grabbed.insert(name, file);
            }
        }
    }
    Ok(())
}

/// Returns an open file with the lock on it, unless it cannot be opened, or somebody else has a lock on it just now.
fn grab_one(path: &Path) -> Option<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path).ok()?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(file)
}

/// Makes many runs that wait for nobody, once the input has ended. Says how many published, changed nothing, and found the
/// lock taken; any other result is an error.
pub(crate) fn storm(link: &Path, runs: u32, seed: u32, retain: Duration) -> Result<(), Box<dyn Error>> {
    let (mut published, mut unchanged, mut busy) = (0, 0, 0);
    input_ends()?;
    for run in 0..runs {
        let options = Options::new().retain(retain).durability(Durability::None);
        let result = publish(link, pick(seed, run), options, UNIX_EPOCH + NOW);
        match Outcome::of(&result) {
            Outcome::Published => published += 1,
            Outcome::Unchanged => unchanged += 1,
            Outcome::Busy => busy += 1,
            Outcome::Failed | Outcome::Unsettled => return Err(format!("run {run}: {result:?}").into()),
        }
        thread::sleep(PAUSE);
    }
    say(&format!("{published} {unchanged} {busy}"))?;
    Ok(())
}

/// Returns one of the sets, in an order of each seed's own.
fn pick(seed: u32, run: u32) -> Set {
    let scattered = (seed << 16 | run).wrapping_mul(0x9E37_79B1).rotate_left(16).wrapping_mul(0x85EB_CA6B);
    Set((scattered >> 16) % SETS)
}

fn say(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

fn input_ends() -> io::Result<()> {
    io::copy(&mut io::stdin(), &mut io::sink()).map(drop)
}
