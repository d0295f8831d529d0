//! An ID with the mark of an unfinished run: a staging until the flip.

use std::path::PathBuf;

use rustix::fs::symlinkat;

use crate::error::At;
use crate::names::Role;
use crate::removal::{self, Reason};
use crate::state::State;
use crate::{AtomicDir, Id, Result, Step};

/// An ID with its mark, and its directory if that is made already.
#[derive(Debug)]
pub(crate) struct Unfinished {
    dir: AtomicDir,
    pub(crate) id: Id,
    fate: Fate,
}

/// What happens to it when its staging is dropped.
#[derive(Debug)]
enum Fate {
    /// It was not published.
    Remove,
    /// The link names it, or may name it.
    Keep,
}

impl Unfinished {
    /// Makes the temporary link, which marks the ID. It comes first, because it could not be synced by itself later.
    pub(crate) fn mark(dir: &AtomicDir) -> Result<Self> {
        let prefix = dir.link.prefix(Role::Mark);
        let made = dir.options.random.fresh(&prefix, |name, id| {
            symlinkat(dir.link.name(Role::Generation, id), &dir.parent.directory, name)
        });
        let (id, ()) = made.at(Step::Stage, "create a link in", &dir.parent.path)?;
        Ok(Self { dir: dir.clone(), id, fate: Fate::Remove })
    }

    /// Removes an unfinished staging. Leftovers still have their mark, and the next run's healing removes them.
    pub(crate) fn remove(&mut self, state: &State) {
        if let Err(error) = self.discard(state) {
            tracing::warn!(step = error.step().number(), %error, "an empty staging stays until the next run");
        }
    }

    /// Removes the directory, which must be empty or on record, and its note, record and mark.
    pub(crate) fn discard(&self, state: &State) -> Result<()> {
        removal::discard(&self.dir, state, Step::Stage, &self.id, Reason::Unfinished).map(drop)
    }

    /// Removes the note, record and mark, but not the directory, which is empty and not in its place.
    pub(crate) fn forget(&self, state: &State) -> Result<()> {
        removal::forget(state, Step::Stage, &self.id)?;
        removal::remove_mark(&self.dir, Step::Stage, &self.id)
    }

    /// Keeps it when the staging is dropped.
    pub(crate) fn keep(&mut self) {
        self.fate = Fate::Keep;
    }

    /// Returns whether it is kept.
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self.fate, Fate::Keep)
    }

    /// Returns the name of the staging's directory, which is also that of its generation.
    pub(crate) fn name(&self) -> String {
        self.dir.link.name(Role::Generation, &self.id)
    }

    /// Returns the path of the staging, for messages.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.generation_path(&self.id)
    }
}
