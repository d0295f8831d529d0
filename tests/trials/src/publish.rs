//! One run of a publisher, and how it ended.

use std::io::Write;
use std::path::Path;
use std::time::SystemTime;

use atomicdir::{Error, Options, Published, Refusal};

use crate::Set;

/// How a run ended: as an exit code too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// The link names the new set.
    Published = 0,
    /// It did already.
    Unchanged = 10,
    /// Something kept the run from publishing.
    Failed = 4,
    /// Another run held the lock.
    Busy = 5,
    /// The link names the new set, perhaps not durably (step 10), or its path may lead elsewhere (step 9).
    Unsettled = 6,
}

impl Outcome {
    /// Says how a run ended that gave this result.
    pub fn of(result: &Result<Self, Box<dyn std::error::Error>>) -> Self {
        match result {
            Ok(outcome) => *outcome,
            Err(error) => match error.downcast_ref::<Error>().and_then(Error::refusal) {
                Some(Refusal::Busy) => Self::Busy,
                _ => Self::Failed,
            },
        }
    }
}

/// Publishes a set at a link, unless it already exists, in one run that waits for nobody.
///
/// # Errors
///
/// What atomicdir says.
pub fn publish(
    link: &Path,
    set: Set,
    options: Options,
    now: SystemTime,
) -> Result<Outcome, Box<dyn std::error::Error>> {
    let files = set.files();
    let wanted = Set::wanted(&files)?;
    let dir = options.directory(Set::directory()).clock(move || now).open(link)?;
    let mut locked = dir.try_lock()?;
    let unchanged = locked.compare(&wanted)?.is_same();
    let outcome = if unchanged {
        report(locked.unsettled(), Outcome::Unchanged)
    } else {
        let mut staging = locked.stage()?;
        for (name, file) in wanted.iter() {
            staging.write(name, *file)?;
        }
        let Published { unsettled, misplaced, .. } = staging.publish(Some(b"note"))?;
        report(misplaced.as_ref().or(unsettled.as_ref()), Outcome::Published)
    };
    if outcome != Outcome::Unsettled {
        // The set is there, whether or not that can be noted.
        drop(locked.record_success());
    }
    Ok(outcome)
}

fn report(unsettled: Option<&Error>, settled: Outcome) -> Outcome {
    let Some(error) = unsettled else { return settled };
    drop(writeln!(std::io::stderr(), "error: {error}"));
    Outcome::Unsettled
}
