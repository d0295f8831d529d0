//! Steps 2 to 4: takes the lock, reads the link, and heals. Every run begins with these steps.
//!
//! The lock is a `flock` on a file that is never removed. The file itself means nothing without a lock on it, so a
//! killed run leaves no stale lock. But a lock on a removed file would lock out no other run, because the next run
//! makes a new file. So a run checks the link count of the file: once it has the lock, and again right before the flip.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{AtFlags, Mode, OFlags, fchmod, openat, readlinkat, statat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::clock;
use crate::error::At;
use crate::flock::Flock;
use crate::generation::Generation;
use crate::names::{LOCK, Role};
use crate::publish;
use crate::state::State;
use crate::sweep::{self, Inventory, Sweep};
use crate::{AtomicDir, Error, Id, Refusal, Result, Step};

/// Follows no link, and does not wait for the other end of a FIFO.
const OPEN: OFlags = OFlags::RDWR.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

const CREATE: OFlags = OPEN.union(OFlags::CREATE).union(OFlags::EXCL);

const MODE: Mode = Mode::RUSR.union(Mode::WUSR);

/// The pause between two attempts to take the lock.
const POLL: Duration = Duration::from_millis(20);

/// The lock of the publisher: the right to change the published set. One run at a time holds it, and it is released on
/// drop.
///
/// Its holder has read the link and removed leftovers. All functions that change a published directory are methods of
/// this type, or of the types that they return.
///
/// It owns its data, so it can be moved to another thread. Publishing blocks, because a barrier waits for the disk. The
/// lock belongs to the process, whichever thread has it, and the kernel releases it when the process ends.
#[derive(Debug)]
#[must_use = "the lock is given back on drop"]
pub struct Locked {
    pub(crate) dir: AtomicDir,
    lock: Flock,
    pub(crate) state: State,
    pub(crate) current: Option<Id>,
    pub(crate) superseded: Vec<Id>,
    sweep: Sweep,
    unsettled: Option<Error>,
    /// Why a staging that was not published could not be removed.
    pub(crate) leftover: Option<Error>,
}

impl AtomicDir {
    /// Takes the lock if it is free (step 2), reads the link (step 3), and heals (step 4). It never waits for another
    /// run.
    ///
    /// The clock is read for ages once the lock is held.
    ///
    /// # Errors
    ///
    /// [`Refusal::Busy`] if another run holds the lock ([`Error::is_busy`]). A lock or a link that this crate did not
    /// make. The published set is then unchanged. A failure to remove leftovers is no error: see [`Locked::sweep`].
    pub fn try_lock(&self) -> Result<Locked> {
        let state = State::open_or_make(self)?;
        let (lock, found) = self.take_lock(&state)?;
        let current = self.read_link()?;
        if current.is_none() && found.modified().ok() != Some(clock::NEVER) {
            // The run that made the lock file was killed before it set this time, or the link was removed.
            let set = clock::set_modified(lock.file(), clock::NEVER);
            set.at(Step::Lock, "set the time of", state.join(LOCK))?;
        }
        let inventory = Inventory::take(self, Some(&state))?;
        let mut locked = Locked {
            dir: self.clone(),
            lock,
            state,
            current,
            superseded: Vec::new(),
            sweep: Sweep::default(),
            unsettled: None,
            leftover: None,
        };
        locked.heal(inventory);
        Ok(locked)
    }

    /// Takes the lock itself (step 2), and returns the metadata of its file, read under the lock.
    fn take_lock(&self, state: &State) -> Result<(Flock, Metadata)> {
        let path = || state.join(LOCK);
        let lock = Flock::exclusive(open_lock(state, LOCK)?).at(Step::Lock, "lock", path())?;
        let lock = lock.ok_or_else(|| self.busy())?;
        let found = lock.file().metadata().at(Step::Lock, "inspect", path())?;
        if is_removed(&found) {
            // The file was removed before this lock was taken. Another run may hold a new one: try again.
            return Err(self.busy());
        }
        tracing::debug!(step = Step::Lock.number(), path = %path().display(), "locked");
        Ok((lock, found))
    }

    /// Takes the lock as [`try_lock`](Self::try_lock) does, but waits for it. This thread sleeps for 20 milliseconds at
    /// a time. Only the time asleep counts.
    ///
    /// # Errors
    ///
    /// [`Refusal::Busy`] if another run still holds the lock after this time. Otherwise the same errors as
    /// [`try_lock`](Self::try_lock).
    pub fn lock(&self, wait: Duration) -> Result<Locked> {
        let mut left = wait;
        loop {
            match self.try_lock() {
                Err(error) if error.is_busy() && !left.is_zero() => {}
                tried => return tried,
            }
            let pause = left.min(POLL);
            std::thread::sleep(pause);
            left = left.saturating_sub(pause);
        }
    }

    /// Returns the error for a lock that another run holds, or that was just removed.
    pub(crate) fn busy(&self) -> Error {
        Error::refuse(Step::Lock, "lock", self.parent.join(&self.link.state()).join(LOCK), Refusal::Busy)
    }

    /// Reads the link without following it, and returns the generation that it names: `None` if there is no link.
    ///
    /// Only the text of the link is used, and only if it is exactly one of our names. No path is ever built from any
    /// other text.
    pub(crate) fn read_link(&self) -> Result<Option<Id>> {
        let name = self.link.as_str();
        let path = || self.parent.join(name);
        let target = match readlinkat(&self.parent.directory, name, Vec::new()) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::INVAL) => return Err(self.refuse_link()),
            read => read.at(Step::Link, "read", path())?,
        };
        match target.to_str().ok().and_then(|target| self.link.parse(target)) {
            Some((Role::Generation, id)) => {
                self.check_link_owner()?;
                Ok(Some(id))
            }
            _ => {
                let target = PathBuf::from(String::from_utf8_lossy(target.as_bytes()).into_owned());
                Err(Error::refuse(Step::Link, "publish at", path(), Refusal::PointsElsewhere(target)))
            }
        }
    }

    /// Checks the owner of the link. If others can put names into the parent, a link of theirs is not ours.
    fn check_link_owner(&self) -> Result<()> {
        let name = self.link.as_str();
        let found = statat(&self.parent.directory, name, AtFlags::SYMLINK_NOFOLLOW);
        let found = found.at(Step::Link, "inspect", self.parent.join(name))?;
        self.parent.ensure_ours(Step::Link, name, found.st_uid, None)
    }

    /// Returns the error for a file at the link's path that is not a symbolic link.
    fn refuse_link(&self) -> Error {
        let name = self.link.as_str();
        let found = statat(&self.parent.directory, name, AtFlags::SYMLINK_NOFOLLOW);
        let kind = match found.map(|found| rustix::fs::FileType::from_raw_mode(found.st_mode)) {
            Ok(rustix::fs::FileType::Directory) => "a directory",
            Ok(rustix::fs::FileType::RegularFile) => "a regular file",
            Ok(rustix::fs::FileType::Fifo) => "a FIFO",
            Ok(rustix::fs::FileType::Socket) => "a socket",
            _ => "something else",
        };
        Error::refuse(Step::Link, "publish at", self.parent.join(name), Refusal::NotALink(kind))
    }
}

/// Opens a lock file, and makes it the first time. It is never removed, because a lock on a removed file locks out
/// no other run.
///
/// A file with two names is refused, because it could be locked by the other name. So is one of another user, who could
/// hold its lock for ever.
pub(crate) fn open_lock(state: &State, name: &str) -> Result<File> {
    if let Some(lock) = find_lock(state, name)? {
        return Ok(lock);
    }
    state.ensure_only_known_names()?;
    let made = make_lock(state, name).at(Step::Lock, "create", state.join(name))?;
    ensure_lock(made, state.join(name))
}

/// Opens a lock file: `None` if it is missing.
pub(crate) fn find_lock(state: &State, name: &str) -> Result<Option<File>> {
    let path = || state.join(name);
    match openat(&state.directory, name, OPEN, Mode::empty()) {
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::LOOP | Errno::NXIO | Errno::ISDIR) => Err(refuse_lock(path())),
        opened => ensure_lock(opened.at(Step::Lock, "open", path())?.into(), path()).map(Some),
    }
}

/// Checks that an open file can be one of our locks.
fn ensure_lock(lock: File, path: PathBuf) -> Result<File> {
    let found = lock.metadata().at(Step::Lock, "inspect", &path)?;
    if !found.is_file() || found.nlink() != 1 {
        return Err(refuse_lock(path));
    }
    let (owner, user) = (found.uid(), geteuid().as_raw());
    if owner != user {
        return Err(Error::refuse(Step::Lock, "use", path, Refusal::NotOurs { owner, user }));
    }
    Ok(lock)
}

/// Makes a lock file. Its time says that no run has succeeded yet. Its mode lets every later run open it, regardless of
/// the umask.
fn make_lock(state: &State, name: &str) -> rustix::io::Result<File> {
    match openat(&state.directory, name, CREATE, MODE) {
        // Another first run was faster.
        Err(Errno::EXIST) => openat(&state.directory, name, OPEN, Mode::empty()).map(File::from),
        made => {
            let made = File::from(made?);
            fchmod(&made, MODE)?;
            clock::set_modified(&made, clock::NEVER)?;
            Ok(made)
        }
    }
}

/// Returns the error for a lock that is not a regular file with exactly one name.
fn refuse_lock(path: PathBuf) -> Error {
    Error::refuse(Step::Lock, "use", path, Refusal::NotALockFile)
}

/// Returns whether the file has been removed. Another run would then make and lock a new one.
fn is_removed(lock: &Metadata) -> bool {
    lock.nlink() == 0
}

impl Locked {
    /// Returns the generation that the link names: `None` before the first publish.
    pub fn current(&self) -> Option<&Id> {
        self.current.as_ref()
    }

    /// Returns what healing removed and what it had to leave: leftovers of killed runs, and superseded generations that
    /// are due.
    pub fn sweep(&self) -> &Sweep {
        &self.sweep
    }

    /// Returns the superseded generations that are retained for their last readers. Those that are due and
    /// [pinned](Sweep::pinned) are not included.
    pub fn superseded(&self) -> &[Id] {
        &self.superseded
    }

    /// Returns why a power cut might still undo the last flip (step 10). No generation was retired then.
    ///
    /// If you publish, you can ignore it, because the new flip settles the last one. If there is nothing to publish,
    /// report it.
    pub fn unsettled(&self) -> Option<&Error> {
        self.unsettled.as_ref()
    }

    /// Ends a successful run: records the time on the lock file, and unlocks.
    ///
    /// Call it even if there was nothing to publish, but only when the run has nothing left to do. Monitors read it as
    /// the last time at which all was well ([`Status::last_success`](crate::Status::last_success)). The next run takes
    /// it as proof that the last flip is durable.
    ///
    /// # Errors
    ///
    /// The time could not be recorded. The set stays published.
    pub fn record_success(self) -> Result<()> {
        let set = clock::set_modified(self.lock.file(), self.dir.options.clock.now());
        set.at(Step::Lock, "set the time of", self.state.join(LOCK))
    }

    /// Takes the reason why an unpublished staging is still on disk, with its secrets. The next run tries again to
    /// remove it.
    pub fn take_leftover(&mut self) -> Option<Error> {
        self.leftover.take()
    }

    /// Step 4: removes the leftovers of unfinished runs, and generations that are due.
    ///
    /// Unfinished leftovers go first, whatever their age. This run holds the lock, so only a killed run can have left a
    /// mark. Due generations go only once the last flip is durable.
    fn heal(&mut self, inventory: Inventory) {
        let now = self.dir.options.clock.now();
        self.sweep = inventory.clear_unfinished(&self.dir, &self.state, self.current.as_ref());
        self.superseded = inventory.superseded(self.current.as_ref());
        match self.settle_last_flip() {
            Ok(()) => {
                let retired = sweep::retire(&self.dir, &self.state, Step::Heal, &mut self.superseded, now);
                self.sweep.add(retired);
            }
            Err(error) => self.unsettled = Some(error),
        }
    }

    /// Repeats step 10 for a run that was killed before it, or failed at it. Until the last flip is durable, the
    /// generation before it may be needed again, and no generation is retired.
    fn settle_last_flip(&self) -> Result<()> {
        match &self.current {
            Some(current) if !self.is_settled(current) => publish::settle(&self.dir),
            _ => Ok(()),
        }
    }

    /// Returns whether a run has succeeded since this generation was published. False if that is unknown: an extra
    /// `fsync` does no harm.
    fn is_settled(&self, current: &Id) -> bool {
        let generation = Generation::open_if_ours(&self.dir, Step::Heal, current);
        let published = generation.ok().flatten().and_then(|generation| generation.found.modified().ok());
        let succeeded = self.lock.file().metadata().and_then(|found| found.modified()).ok();
        matches!((published, succeeded), (Some(published), Some(succeeded)) if published <= succeeded)
    }

    /// Checks that neither the lock file nor its directory was removed. Otherwise another run could hold a lock of the
    /// same name.
    pub(crate) fn ensure_held(&self, step: Step) -> Result<()> {
        let found = self.lock.file().metadata().at(step, "inspect", self.state.join(LOCK))?;
        if is_removed(&found) {
            return Err(Error::refuse(step, "rely on", self.state.join(LOCK), Refusal::LockRemoved));
        }
        self.state.ensure_in_place(&self.dir, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoteClaim, Snapshot};

    #[test]
    fn what_a_run_holds_can_be_moved_to_another_thread() {
        fn moves<T: Send + 'static>() {}
        moves::<AtomicDir>();
        moves::<Locked>();
        moves::<NoteClaim>();
        moves::<Snapshot>();
    }
}
