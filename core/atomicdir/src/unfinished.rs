//! What bears the mark of a run that did not finish: a staging, until the flip.

use std::path::PathBuf;

use rustix::fs::symlinkat;

use crate::error::At;
use crate::names::Role;
use crate::removal::{self, Reason};
use crate::state::State;
use crate::{AtomicDir, Id, Result, Step};

/// What bears the mark of a run that did not finish.
#[derive(Debug)]
pub(crate) struct Unfinished {
    dir: AtomicDir,
    pub(crate) id: Id,
    fate: Fate,
}

/// What becomes of it when it is dropped.
#[derive(Debug)]
enum Fate {
    /// It was not published.
    Remove,
    /// The link names it, or there is no telling.
    Keep,
}

impl Unfinished {
    /// Makes the temporary link first: it marks the ID, and it could not be synced by itself once everything else is.
    pub(crate) fn mark(dir: &AtomicDir) -> Result<Self> {
        let prefix = dir.link.prefix(Role::Mark);
        let made = dir.options.random.fresh(&prefix, |name, id| {
            symlinkat(dir.link.name(Role::Generation, id), &dir.parent.directory, name)
        });
        let (id, ()) = made.at(Step::Stage, "create a link in", &dir.parent.path)?;
        Ok(Self { dir: dir.clone(), id, fate: Fate::Remove })
    }

    /// Removes what was begun. Whatever cannot be removed now still bears its mark, and the next run's healing removes it.
    pub(crate) fn remove(&mut self, state: &State) {
        if let Err(error) = self.discard(state) {
            tracing::warn!(step = error.step().number(), %error, "an empty staging stays until the next run");
        }
    }

    /// Removes the directory, which must be empty or on record, and all that speaks of it.
    pub(crate) fn discard(&self, state: &State) -> Result<()> {
        removal::discard(&self.dir, state, Step::Stage, &self.id, Reason::Unfinished).map(drop)
    }

    /// Removes all but the directory, which is empty, and out of reach.
    pub(crate) fn forget(&self, state: &State) -> Result<()> {
        removal::forget(state, Step::Stage, &self.id)?;
        removal::remove_mark(&self.dir, Step::Stage, &self.id)
    }

    /// Lets it stay: the flip has consumed the mark.
    pub(crate) fn keep(&mut self) {
        self.fate = Fate::Keep;
    }

    /// Says whether it stays.
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self.fate, Fate::Keep)
    }

    /// Returns the name of the staging's directory, which is that of the generation to be.
    pub(crate) fn name(&self) -> String {
        self.dir.link.name(Role::Generation, &self.id)
    }

    /// Returns the path of the staging, for messages.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.generation_path(&self.id)
    }
}
