//! The lock of a daemon that keeps a set current for as long as it lives.
//!
//! It does not lock the published set: each run takes that lock, of the daemon and of any other publisher. The keeper's
//! lock prevents a second daemon. Its file holds a short text of the daemon for [`Status`](crate::Status).

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

/// The maximum bytes that are read of a keeper's text.
const LONGEST: u64 = 4096;

/// Follows no link, and does not wait for the other end of a FIFO.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// The lock of the one process that keeps a set current, released on drop.
#[derive(Debug)]
#[must_use = "it is given back on drop"]
pub struct Keeper {
    held: Flock,
    path: PathBuf,
}

impl AtomicDir {
    /// Becomes the keeper of the set, if no other process is. It does not wait.
    ///
    /// # Errors
    ///
    /// [`Refusal::Kept`] if another process is the keeper ([`Error::is_busy`]). Otherwise the same errors as
    /// [`try_lock`](Self::try_lock).
    pub fn try_keep(&self) -> Result<Keeper> {
        let state = State::open_or_make(self)?;
        let path = state.join(KEEPER);
        let held = Flock::exclusive(open_lock(&state, KEEPER)?).at(Step::Lock, "lock", &path)?;
        let held = held.ok_or_else(|| Error::refuse(Step::Lock, "keep", self.path(), Refusal::Kept))?;
        Ok(Keeper { held, path })
    }
}

impl Keeper {
    /// Records a text of the keeper, in place of the one before. [`Status`](crate::Status) shows at most 4096 bytes of
    /// it, and only while the keeper exists.
    ///
    /// # Errors
    ///
    /// Any error of the system.
    pub fn record(&self, text: &[u8]) -> Result<()> {
        let file = self.held.file();
        file.set_len(0).at(Step::Lock, "empty", &self.path)?;
        file.write_all_at(text, 0).at(Step::Lock, "write", &self.path)
    }
}

/// Returns the text of the keeper: `None` if there is no keeper, or this user may not read it.
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
