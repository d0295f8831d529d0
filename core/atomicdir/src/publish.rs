//! Steps 7 to 11: note, barrier, flip, settle, retire. In this order, and all of them.
//!
//! Why this order:
//!
//! - The note comes before the flip, so a generation is never current without it.
//! - The barrier comes before the flip, so the link never names what a power cut could take. It covers the temporary link,
//!   too, which was made first of all: nothing can sync a symbolic link by itself.
//! - What may have changed while everything was gathered is looked at right before the flip: the lock, the path of the
//!   parent, the new directory, the link. Between that look and the rename another process can still act; nothing but a
//!   compare-and-swap rename could close that window, and the kernel has none for a name that is taken. So the path and the
//!   new directory are looked at after the flip again, and what is found then is reported ([`Published::misplaced`]).
//! - The flip is durable before anything is retired: a power cut may bring back the old link, and its generation must be
//!   there then.
//!
//! Until the rename every failure leaves the link as it was. After it nothing is taken back: readers may have seen the new set.

use rustix::fs::{fsync, renameat};
use rustix::io::Errno;

use crate::clock;
use crate::error::At;
use crate::generation::Generation;
use crate::names::Role;
use crate::staging::Staging;
use crate::sweep::{self, Sweep};
use crate::{AtomicDir, Durability, Error, Id, Locked, Refusal, Result, Step, note, platform};

/// A generation that the link names now.
///
/// Two things can have gone wrong all the same, and both are worth reporting: [`unsettled`](Self::unsettled) and
/// [`misplaced`](Self::misplaced). Neither can be taken back. Publishing again mends both.
#[derive(Debug)]
#[must_use = "its durability may be unknown"]
#[non_exhaustive]
pub struct Published {
    /// The new generation.
    pub generation: Id,
    /// Why it is not known whether the flip would survive a power cut (step 10): the only failure after the flip.
    pub unsettled: Option<Error>,
    /// Why the path of the link does not lead to the new generation although the link was flipped: somebody has renamed the
    /// directory that holds it, mounted something over that, or exchanged the generation.
    pub misplaced: Option<Error>,
    /// What was retired, and what had to stay. Nothing is retired while durability is unknown, or the set is misplaced.
    pub sweep: Sweep,
}

impl Staging<'_> {
    /// Makes this staging current, with a note beside it if one is given (steps 7 to 11).
    ///
    /// Blocks until the disk has everything, unless the durability is [`None`](Durability::None). A note may have 16 MiB.
    ///
    /// # Errors
    ///
    /// The link still names what it named before, and the staging is gone. A staging that a file could not be written to is
    /// never published.
    pub fn publish(mut self, note: Option<&[u8]>) -> Result<Published> {
        self.ensure_complete()?;
        self.finish_directories()?;
        if let Some(note) = note {
            note::create(&self.locked.dir, &self.locked.state, &self.unfinished.id, note)?;
        }
        barrier(&self.locked.dir)?;
        self.flip()?;
        let misplaced = self.ensure_led_to().err().map(Error::after_flip);
        let unsettled = settle(&self.locked.dir).err();
        let sweep = match (&unsettled, &misplaced) {
            (None, None) => self.retire(),
            _ => Sweep::default(),
        };
        Ok(Published { generation: self.unfinished.id.clone(), unsettled, misplaced, sweep })
    }

    /// Step 11: what is due goes, the generation that was current until now included if nothing is retained.
    fn retire(&mut self) -> Sweep {
        let Locked { dir, state, superseded, .. } = &mut *self.locked;
        sweep::retire(dir, state, Step::Retire, superseded, dir.options.clock.now())
    }

    /// Finishes the directories that are still open, the generation's own last. Its modification time says when it was
    /// published, until it is superseded.
    fn finish_directories(&mut self) -> Result<()> {
        let now = self.locked.dir.options.clock.now();
        self.leave(0)?;
        let path = self.unfinished.path();
        clock::set_modified(self.root(), now).at(Step::Stage, "set the time of", &path)?;
        self.finish(self.root(), self.locked.dir.options.directory, &path)
    }

    /// Step 9, the flip. The time at which the old generation is superseded is set before the rename: a kill in between errs on
    /// keeping it. If the rename fails, the old generation gets its own time back.
    fn flip(&mut self) -> Result<()> {
        self.refuse_interference()?;
        let old = self.supersede()?;
        if let Err(error) = self.rename()
            && !self.has_flipped()
        {
            old.iter().for_each(restore_time);
            return Err(error);
        }
        self.unfinished.keep();
        tracing::debug!(step = Step::Flip.number(), id = %self.unfinished.id, "published");
        self.locked.superseded.extend(self.locked.current.replace(self.unfinished.id.clone()));
        Ok(())
    }

    /// Sets the time at which the generation that is still current was superseded. One that is not on record is not ours to
    /// change: somebody may have renamed another directory to its name.
    fn supersede(&self) -> Result<Option<Generation>> {
        let Locked { dir, state, current, .. } = &*self.locked;
        let Some(id) = current else { return Ok(None) };
        let old = Generation::open_if_recorded(dir, state, Step::Flip, id)?;
        if let Some(old) = &old {
            let set = clock::set_modified(&old.directory, dir.options.clock.now());
            set.at(Step::Flip, "set the time of the generation at", dir.path())?;
        }
        Ok(old)
    }

    /// The link was looked at before everything was gathered, which may have taken minutes. What is in its place now is
    /// replaced only if it is still what was found then.
    fn refuse_interference(&self) -> Result<()> {
        let dir = &self.locked.dir;
        self.locked.ensure_held(Step::Flip)?;
        self.ensure_led_to()?;
        match dir.read_link() {
            Ok(found) if found == self.locked.current => Ok(()),
            Err(error) if error.io_error().is_some() => Err(error),
            Ok(None) => Err(Error::refuse(Step::Flip, "publish at", dir.path(), Refusal::Vanished)),
            _ => Err(Error::refuse(Step::Flip, "publish at", dir.path(), Refusal::Appeared)),
        }
    }

    /// Ensures that the path of the parent leads to it, and that it has this staging under the generation's name. Looked at
    /// before the flip and after it: in between, only a report is left to make.
    fn ensure_led_to(&self) -> Result<()> {
        self.locked.dir.parent.ensure_in_place(Step::Flip)?;
        self.ensure_in_place(Step::Flip)
    }

    /// Says whether the link names this staging although the rename is reported as failed: on NFS a reply can be lost. If
    /// there is no telling, the staging stays, with or without its mark, for the next run's healing to tell.
    fn has_flipped(&mut self) -> bool {
        match self.locked.dir.read_link() {
            Ok(found) => found.as_ref() == Some(&self.unfinished.id),
            Err(error) => {
                if error.io_error().is_some() {
                    self.unfinished.keep();
                }
                false
            }
        }
    }

    /// Renames the temporary link over the link: the flip itself, one call.
    ///
    /// The first time, nothing may be replaced: whatever has appeared there since the look is somebody else's.
    fn rename(&self) -> Result<()> {
        let dir = &self.locked.dir;
        let (parent, link) = (&dir.parent.directory, dir.link.as_str());
        let mark = dir.link.name(Role::Mark, &self.unfinished.id);
        if self.locked.current.is_some() {
            return renameat(parent, &mark, parent, link).at(Step::Flip, "flip", dir.path());
        }
        match platform::rename_to_new_name(parent, &mark, link) {
            Err(Errno::EXIST) => Err(Error::refuse(Step::Flip, "publish at", dir.path(), Refusal::Appeared)),
            renamed => renamed.at(Step::Flip, "flip", dir.path()),
        }
    }
}

/// Step 8. A sync that failed is never tried again: what it lost may be marked clean, and a second one succeed.
///
/// With [`Durability::PerFile`] the files and directories have been synced as each was finished, and only the parent is left.
fn barrier(dir: &AtomicDir) -> Result<()> {
    let durability = dir.options.durability;
    tracing::debug!(step = Step::Barrier.number(), ?durability, "making it durable");
    let parent = &dir.parent.directory;
    let synced = match durability {
        Durability::None => Ok(()),
        each if each.syncs_each() => fsync(parent),
        _ => platform::sync_filesystem(parent),
    };
    synced.at(Step::Barrier, "sync", &dir.parent.path)
}

/// Step 10: makes the flip durable. Tried again by every later run until one succeeds at it.
pub(crate) fn settle(dir: &AtomicDir) -> Result<()> {
    if dir.options.durability == Durability::None {
        return Ok(());
    }
    fsync(&dir.parent.directory).at(Step::Settle, "sync", &dir.parent.path)
}

/// Gives the generation that stays current its own time back, so that it does not look younger than it is.
fn restore_time(generation: &Generation) {
    let restored = generation.found.modified().map(|time| clock::set_modified(&generation.directory, time));
    if !matches!(restored, Ok(Ok(()))) {
        tracing::debug!(step = Step::Flip.number(), "the current generation keeps a newer time");
    }
}
