//! A lock of its own for a process that keeps a set current for as long as it lives: a daemon.
//!
//! It is no lock on what is published: each of the daemon's runs takes that, and so does anyone else's. It says that the daemon is
//! there, so that a second one does not begin, and holds a few bytes of it for [`Status`](crate::Status).

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use crate::error::At;
use crate::flock::Flock;
use crate::locked::open_lock;
use crate::names::KEEPER;
use crate::state::State;
use crate::{AtomicDir, Error, Refusal, Result, Step};

/// The most bytes that a keeper says of itself.
const LONGEST: u64 = 4096;

/// Never through a link, and without waiting for the other end of a FIFO.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// The right to be the one process that keeps a set current, given back on drop.
#[derive(Debug)]
#[must_use = "it is given back on drop"]
pub struct Keeper {
    held: Flock,
    path: PathBuf,
}

impl AtomicDir {
    /// Becomes the keeper of the set, if no other process is. Does not wait.
    ///
    /// # Errors
    ///
    /// [`Refusal::Kept`] if there is another one ([`Error::is_busy`]); otherwise as [`try_lock`](Self::try_lock).
    pub fn try_keep(&self) -> Result<Keeper> {
        let state = State::open_or_make(self)?;
        let path = state.join(KEEPER);
        let held = Flock::exclusive(open_lock(&state, KEEPER)?).at(Step::Lock, "lock", &path)?;
        let held = held.ok_or_else(|| Error::refuse(Step::Lock, "keep", self.path(), Refusal::Kept))?;
        Ok(Keeper { held, path })
    }
}

impl Keeper {
    /// Says something of the keeper, up to 4096 bytes, in place of what it said before. It is gone with the keeper.
    ///
    /// # Errors
    ///
    /// Whatever the system says.
    pub fn record(&self, text: &[u8]) -> Result<()> {
        let file = self.held.file();
        file.set_len(0).at(Step::Lock, "empty", &self.path)?;
        file.write_all_at(text, 0).at(Step::Lock, "write", &self.path)
    }
}

/// Returns what the keeper says of itself: `None` if there is none, or this user may not look.
pub(crate) fn recorded(state: &State) -> Result<Option<Vec<u8>>> {
    let path = || state.join(KEEPER);
    let mut file = match openat(&state.directory, KEEPER, READ, Mode::empty()) {
        Err(Errno::NOENT | Errno::ACCESS | Errno::LOOP | Errno::NXIO) => return Ok(None),
        opened => File::from(opened.at(Step::Read, "open", path())?),
    };
    if !file.metadata().at(Step::Read, "inspect", path())?.is_file() {
        return Ok(None);
    }
    let other = file.try_clone().at(Step::Read, "open", path())?;
    if Flock::shared(other).at(Step::Read, "look for the keeper of", path())?.is_some() {
        return Ok(None);
    }
    let mut text = Vec::new();
    (&mut file).take(LONGEST).read_to_end(&mut text).at(Step::Read, "read", path())?;
    Ok(Some(text))
}
