//! Steps 7 to 11: note, barrier, flip, settle, retire. In this order, and all of them.

use std::time::SystemTime;

use rustix::fs::{fsync, renameat};
use rustix::io::Errno;

use crate::clock::{self, Clock};
use crate::error::At;
use crate::generation::Generation;
use crate::names::Role;
use crate::staging::Staging;
use crate::sweep::{self, Sweep};
use crate::{AtomicDir, Durability, Error, Id, Locked, Refusal, Result, Step, note, platform};

/// A generation that the link names now.
#[derive(Debug)]
#[must_use = "its durability may be unknown"]
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

impl Staging<'_, '_> {
    /// Makes this staging current, with a note beside it if one is given (steps 7 to 11).
    ///
    /// # Errors
    ///
    /// The link still names what it named before, and the staging is gone. A staging that a file could not be written to is
    /// never published.
    pub fn publish(mut self, note: Option<&[u8]>, clock: Clock<'_>) -> Result<Published> {
        self.ensure_complete()?;
        self.finish_directories(clock())?;
        let dir = self.locked.dir;
        if let Some(note) = note {
            note::create(dir, &self.locked.state, &self.unfinished.id, note)?;
        }
        barrier(dir)?;
        self.flip(clock)?;
        let misplaced = self.ensure_led_to().err();
        let unsettled = settle(dir).err();
        let sweep = match (&unsettled, &misplaced) {
            (None, None) => {
                let Locked { state, superseded, .. } = &mut *self.locked;
                sweep::retire(dir, state, Step::Retire, superseded, clock())
            }
            _ => Sweep::default(),
        };
        Ok(Published { generation: self.unfinished.id.clone(), unsettled, misplaced, sweep })
    }

    /// The generation's own modification time says when it was published, until it is superseded.
    fn finish_directories(&mut self, now: SystemTime) -> Result<()> {
        self.leave(0)?;
        let path = self.unfinished.path();
        clock::set_modified(self.root(), now).at(Step::Stage, "set the time of", &path)?;
        self.finish(self.root(), self.locked.dir.options.directory, &path)
    }

    /// Step 9. The time at which the old generation is superseded is set before the rename: a kill in between errs on
    /// keeping it. If the rename fails, the old generation gets its own time back.
    fn flip(&mut self, clock: Clock<'_>) -> Result<()> {
        let dir = self.locked.dir;
        self.refuse_interference()?;
        let old = match &self.locked.current {
            Some(id) => Generation::open_if_recorded(dir, &self.locked.state, Step::Flip, id)?,
            None => None,
        };
        if let Some(old) = &old {
            let set = clock::set_modified(&old.directory, clock());
            set.at(Step::Flip, "set the time of the generation at", dir.path())?;
        }
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

    /// The link was looked at before everything was gathered, which may have taken minutes. What is in its place now is
    /// replaced only if it is still what was found then.
    fn refuse_interference(&self) -> Result<()> {
        let dir = self.locked.dir;
        self.locked.ensure_held(Step::Flip)?;
        self.ensure_led_to()?;
        match dir.read_link() {
            Ok(found) if found == self.locked.current => Ok(()),
            Err(error) if error.io_error().is_some() => Err(error),
            Ok(None) => Err(Error::refuse(Step::Flip, "publish at", dir.path(), Refusal::Vanished)),
            _ => Err(Error::refuse(Step::Flip, "publish at", dir.path(), Refusal::Appeared)),
        }
    }

    /// Says that the path of the parent leads to it, and that it has this staging under the generation's name. Looked at
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

    fn rename(&self) -> Result<()> {
        let dir = self.locked.dir;
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

/// Step 10.
pub(crate) fn settle(dir: &AtomicDir) -> Result<()> {
    if dir.options.durability == Durability::None {
        return Ok(());
    }
    fsync(&dir.parent.directory).at(Step::Settle, "sync", &dir.parent.path)
}

fn restore_time(generation: &Generation) {
    let restored = generation.found.modified().map(|time| clock::set_modified(&generation.directory, time));
    if !matches!(restored, Ok(Ok(()))) {
        tracing::debug!(step = Step::Flip.number(), "the current generation keeps a newer time");
    }
}
