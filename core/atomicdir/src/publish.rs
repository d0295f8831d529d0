//! Steps 7 to 11: note, barrier, flip, settle, retire. All of them run, in this order.
//!
//! These are the reasons for the order:
//!
//! - The note comes before the flip, so a generation is never current without it.
//! - The barrier comes before the flip, so the link never names files that a power cut could destroy. It also covers
//!   the temporary link, which was made first: a symbolic link cannot be synced by itself.
//! - Right before the flip, these are checked again: the lock, the path of the parent, the new directory, and the link.
//!   Another process can still act between this check and the rename (time-of-check to time-of-use). Only a
//!   compare-and-swap rename could prevent that, and the kernel has none for a name that exists. So the path and the
//!   new directory are checked once more after the flip, and a problem is reported ([`Published::misplaced`]).
//! - The flip is durable before any generation is retired. A power cut may bring back the old link, which then needs
//!   its generation.
//!
//! Before the rename, every failure leaves the link as it was. After it nothing is undone, because readers may have
//! seen the new set.

use rustix::fs::{fsync, renameat};
use rustix::io::Errno;

use crate::clock;
use crate::error::At;
use crate::generation::Generation;
use crate::names::Role;
use crate::staging::Staging;
use crate::sweep::{self, Sweep};
use crate::{AtomicDir, Durability, Error, Id, Locked, Refusal, Result, Step, note, platform};

/// The generation that the link names after a publish.
///
/// Two problems are still possible, and both should be reported: [`unsettled`](Self::unsettled) and
/// [`misplaced`](Self::misplaced). The flip is not undone. Publishing again fixes both.
#[derive(Debug)]
#[must_use = "its durability may be unknown"]
#[non_exhaustive]
pub struct Published {
    /// The new generation.
    pub generation: Id,
    /// Why a power cut might still undo the flip (step 10).
    pub unsettled: Option<Error>,
    /// Why the path of the link does not lead to the new generation, although the link was flipped. Another process has
    /// renamed the directory that holds the link, mounted something over it, or replaced the generation.
    pub misplaced: Option<Error>,
    /// What was retired, and what had to stay. Nothing is retired if the set is unsettled or misplaced.
    pub sweep: Sweep,
}

impl Staging<'_> {
    /// Makes this staging current, with a note if you give one (steps 7 to 11).
    ///
    /// It blocks until all data is on disk, unless the durability is [`None`](Durability::None). A note may have up to
    /// 16 MiB.
    ///
    /// # Errors
    ///
    /// The link still names the old generation, and the staging is removed. If a file could not be written, the staging
    /// is never published. If a rename fails and the link cannot be read, the result is unknown, and the staging stays
    /// for the next run.
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

    /// Step 11: removes generations that are due. If nothing is retained, this includes the one that was current until
    /// now.
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

    /// Step 9: flips the link. The superseded time of the old generation is set before the rename. So a kill in between
    /// keeps it longer, not shorter. If the rename fails, the old generation gets its original time back.
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

    /// Sets the superseded time of the generation that is still current. One without a record is not ours to change:
    /// another directory may have been renamed to its name.
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

    /// Checks the link and the lock again. The link was read before everything was gathered, which may have taken
    /// minutes. It is replaced only if it is still the same.
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

    /// Checks that the path leads to the parent, and that the parent has this staging under the generation's name. This
    /// is called before and after the flip. After it, a problem can only be reported.
    fn ensure_led_to(&self) -> Result<()> {
        self.locked.dir.parent.ensure_in_place(Step::Flip)?;
        self.ensure_in_place(Step::Flip)
    }

    /// Returns whether the link names this staging although the rename was reported as failed. On NFS, a reply can be
    /// lost. If the link cannot be read, the staging stays, with or without its mark, and the next run's healing
    /// decides.
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

    /// Renames the temporary link over the link. This one call is the flip.
    ///
    /// The first publish must not replace anything: a file that has appeared there since the check belongs to someone
    /// else.
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

/// Step 8: makes everything before the flip durable. A failed sync is never retried: the kernel may have marked lost
/// data as clean, so a second sync could succeed.
///
/// With [`Durability::PerFile`], files and directories were synced when each was finished, and only the parent is left.
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

/// Step 10: makes the flip durable. If it fails, every later run tries again until one succeeds.
pub(crate) fn settle(dir: &AtomicDir) -> Result<()> {
    if dir.options.durability == Durability::None {
        return Ok(());
    }
    fsync(&dir.parent.directory).at(Step::Settle, "sync", &dir.parent.path)
}

/// Restores the time of the generation that stays current, so that it does not look younger than it is.
fn restore_time(generation: &Generation) {
    let restored = generation.found.modified().map(|time| clock::set_modified(&generation.directory, time));
    if !matches!(restored, Ok(Ok(()))) {
        tracing::debug!(step = Step::Flip.number(), "the current generation keeps a newer time");
    }
}
