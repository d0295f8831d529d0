//! Steps 2 to 4: the lock, the look at the link, and the healing that every run begins with.
//!
//! The lock is a `flock` on a file that is never removed. A file that exists and is not locked says nothing, so no kill
//! leaves a stale lock behind; and a lock on a removed file would lock nothing, as the next run makes another one. That is
//! why a run looks at the number of the file's links: once it has the lock, and again right before the flip.

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

/// Never through a link, and without waiting for the other end of a FIFO.
const OPEN: OFlags = OFlags::RDWR.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

const CREATE: OFlags = OPEN.union(OFlags::CREATE).union(OFlags::EXCL);

const MODE: Mode = Mode::RUSR.union(Mode::WUSR);

/// How long to sleep between two looks at a lock that somebody holds.
const POLL: Duration = Duration::from_millis(20);

/// The right to change what is published: held by one run at a time, given back on drop.
///
/// To hold it means that the link was looked at and that leftovers were swept away: all that changes a published
/// directory is a method of this type, or of what it returns.
///
/// It owns what it needs, so it can be moved to a thread of its own. Publishing blocks: a barrier waits for the disk. The lock
/// is that of the process, however its threads hand it around, and the kernel gives it back when the process ends.
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
    /// What a staging left behind that could not be published.
    pub(crate) leftover: Option<Error>,
}

impl AtomicDir {
    /// Takes the lock if nobody holds it (step 2), looks at the link (step 3), and heals (step 4). Never waits for another
    /// run.
    ///
    /// Ages are counted to what the clock says once the lock is held.
    ///
    /// # Errors
    ///
    /// [`Refusal::Busy`] if somebody holds it ([`Error::is_busy`]); a lock that is not ours, a link that is not ours.
    /// Nothing has been touched then. What healing cannot remove is no error: see [`Locked::sweep`].
    pub fn try_lock(&self) -> Result<Locked> {
        let state = State::open_or_make(self)?;
        let (lock, found) = self.take_lock(&state)?;
        let current = self.read_link()?;
        if current.is_none() && found.modified().ok() != Some(clock::NEVER) {
            // The run that made the lock was killed before it could say so; or somebody removed the link.
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

    /// Takes the lock itself (step 2), and returns what its file was once it was held.
    fn take_lock(&self, state: &State) -> Result<(Flock, Metadata)> {
        let path = || state.join(LOCK);
        let lock = Flock::exclusive(open_lock(state, LOCK)?).at(Step::Lock, "lock", path())?;
        let lock = lock.ok_or_else(|| self.busy())?;
        let found = lock.file().metadata().at(Step::Lock, "inspect", path())?;
        if is_removed(&found) {
            // By somebody, before we had it. Another run may hold a new one: look again.
            return Err(self.busy());
        }
        tracing::debug!(step = Step::Lock.number(), path = %path().display(), "locked");
        Ok((lock, found))
    }

    /// Takes the lock as [`try_lock`](Self::try_lock) does, waiting for it: this thread sleeps meanwhile, for 20
    /// milliseconds at a time. Counted is the time asleep.
    ///
    /// # Errors
    ///
    /// [`Refusal::Busy`] if somebody still holds it after this time; otherwise as there.
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

    /// Returns the error for a lock that somebody holds, or has just removed.
    pub(crate) fn busy(&self) -> Error {
        Error::refuse(Step::Lock, "lock", self.parent.join(&self.link.state()).join(LOCK), Refusal::Busy)
    }

    /// Looks at the link without following it: the generation it names, or `None` where nothing is.
    ///
    /// The text of the link is the only thing that is believed of it, and only if it is exactly a name of ours. No path is
    /// ever built from any other text.
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

    /// Where others can put names into the parent, a link of theirs is not ours, whatever it says.
    fn check_link_owner(&self) -> Result<()> {
        let name = self.link.as_str();
        let found = statat(&self.parent.directory, name, AtFlags::SYMLINK_NOFOLLOW);
        let found = found.at(Step::Link, "inspect", self.parent.join(name))?;
        self.parent.ensure_ours(Step::Link, name, found.st_uid, None)
    }

    /// Returns the error for something at the link that is no link.
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

/// Opens a lock file, making it the first time. It is never removed: a lock on a removed file locks nothing.
///
/// A file with two names could be locked by the other one; one of another user's could be locked by them for ever.
pub(crate) fn open_lock(state: &State, name: &str) -> Result<File> {
    if let Some(lock) = find_lock(state, name)? {
        return Ok(lock);
    }
    state.ensure_familiar()?;
    let made = make_lock(state, name).at(Step::Lock, "create", state.join(name))?;
    ensure_lock(made, state.join(name))
}

/// Opens a lock file, if there is one.
pub(crate) fn find_lock(state: &State, name: &str) -> Result<Option<File>> {
    let path = || state.join(name);
    match openat(&state.directory, name, OPEN, Mode::empty()) {
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::LOOP | Errno::NXIO | Errno::ISDIR) => Err(refuse_lock(path())),
        opened => ensure_lock(opened.at(Step::Lock, "open", path())?.into(), path()).map(Some),
    }
}

/// Ensures that an open file can be a lock of ours.
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

/// Makes the lock, with a time that says that no run has succeeded yet, and a mode that every later run can open it
/// with, whatever the umask is now.
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

/// Returns the error for a lock that is no regular file of one name.
fn refuse_lock(path: PathBuf) -> Error {
    Error::refuse(Step::Lock, "use", path, Refusal::NotALockFile)
}

/// Says whether the file has no name any more, so that another run would make and lock another one.
fn is_removed(lock: &Metadata) -> bool {
    lock.nlink() == 0
}

impl Locked {
    /// Returns the generation that the link names: `None` before the first publish.
    pub fn current(&self) -> Option<&Id> {
        self.current.as_ref()
    }

    /// Returns what healing removed and what it had to leave: what killed runs left behind, and superseded generations that are
    /// due.
    pub fn sweep(&self) -> &Sweep {
        &self.sweep
    }

    /// Returns the generations that were superseded, and are retained for their last readers. Those that are due and
    /// [pinned](Sweep::pinned) are not among them.
    pub fn superseded(&self) -> &[Id] {
        &self.superseded
    }

    /// Returns why it is still not known whether the last flip would survive a power cut (step 10). Nothing was retired then.
    ///
    /// A run that publishes need not care: its own flip settles the last one. One that finds nothing to change should report it.
    pub fn unsettled(&self) -> Option<&Error> {
        self.unsettled.as_ref()
    }

    /// Ends a run that succeeded: records the time on the lock file, and unlocks.
    ///
    /// Call it whether or not there was anything to publish, but not while anything of the run is still to be done: monitors
    /// take this time for the last one at which all was well ([`Status::last_success`](crate::Status::last_success)), and
    /// the next run takes it for a sign that the last flip is durable.
    ///
    /// # Errors
    ///
    /// The time could not be recorded. What is published stays published.
    pub fn record_success(self) -> Result<()> {
        let set = clock::set_modified(self.lock.file(), self.dir.options.clock.now());
        set.at(Step::Lock, "set the time of", self.state.join(LOCK))
    }

    /// Takes the reason why a staging that was not published is still on disk, secrets and all: the next run tries again to
    /// remove it.
    pub fn take_leftover(&mut self) -> Option<Error> {
        self.leftover.take()
    }

    /// Step 4: removes what unfinished runs left, and what is due.
    ///
    /// What is unfinished goes first, whatever its age: nothing but a killed run leaves a mark, as the lock is held. Whatever
    /// is due goes only once the last flip is durable.
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

    /// Step 10 for a run that was killed before it, or failed at it. Until the last flip is durable, the generation before
    /// it may yet be needed, and nothing is retired.
    fn settle_last_flip(&self) -> Result<()> {
        match &self.current {
            Some(current) if !self.is_settled(current) => publish::settle(&self.dir),
            _ => Ok(()),
        }
    }

    /// Says whether a run has succeeded since this generation was published. If that cannot be told, it has not: one `fsync`
    /// too many does no harm.
    fn is_settled(&self, current: &Id) -> bool {
        let generation = Generation::open_if_ours(&self.dir, Step::Heal, current);
        let published = generation.ok().flatten().and_then(|generation| generation.found.modified().ok());
        let succeeded = self.lock.file().metadata().and_then(|found| found.modified()).ok();
        matches!((published, succeeded), (Some(published), Some(succeeded)) if published <= succeeded)
    }

    /// Ensures that nobody has removed the lock, or the directory that it is in, so that no other run can hold one of the same
    /// name.
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
