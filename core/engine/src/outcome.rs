//! What came of a run: printable, serialisable, and without any value.

use std::fmt;
use std::path::Path;

use atomicdir::{Comparison, Sweep};
use schemars::JsonSchema;
use serde::Serialize;

use crate::change::FileChange;
use crate::escape::escape;
use crate::manifest::Announcement;
use crate::missing::{self, MissingSecret};
use crate::report::{ErrorKind, ErrorReport, WarningReport, count};

/// What came of a run that did not fail before the flip.
///
/// The state, the warnings and the errors are serialised by whoever serialises this: every command has them.
#[derive(Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether there was anything to publish.
    #[serde(skip)]
    pub state: State,
    /// What a person should know; also what is still there although it should not be, which the next run tries again to remove.
    #[serde(skip)]
    pub warnings: Vec<WarningReport>,
    /// What failed after the flip: durability unknown, or the command.
    #[serde(skip)]
    pub errors: Vec<ErrorReport>,
    /// The link, as text: what is not UTF-8 in it is replaced.
    pub path: String,
    /// The generation that the link names now.
    pub generation_id: String,
    /// How many files it has.
    pub file_count: usize,
    /// Which sources were asked, and where they answered, in the order of their names.
    pub sources: Vec<AskedSource>,
    /// The optional files that are not there: their secrets, or fields, were not found.
    pub left_out: Vec<MissingSecret>,
    /// The files that have default content, or some in them, for the same reason: one entry for each secret.
    pub defaulted: Vec<MissingSecret>,
    /// What is different from before, in the order of the names.
    pub changes: Vec<FileChange>,
    /// What became of the command of `[on-change]`.
    pub on_change: Notification,
    /// How many superseded or unfinished generations were removed.
    pub removed_count: usize,
    /// How many generations are due, but read by somebody.
    pub pinned_count: usize,
}

/// Whether there was anything to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A new generation is current.
    Published,
    /// What is published is what is wanted.
    Unchanged,
}

/// What became of the command of `[on-change]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Notification {
    /// There is none.
    NotConfigured,
    /// There was nothing to tell.
    NotNeeded,
    /// It succeeded.
    Succeeded,
    /// It failed, or its success could not be noted: the next run repeats it.
    Pending,
    /// Another process is running it.
    RunningElsewhere,
    /// What is noted of it is not for this user to read.
    Unknown,
}

/// A source that was asked.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AskedSource {
    /// Its name.
    pub name: String,
    /// How many secrets it gave.
    pub secret_count: usize,
    /// The places that answered, such as regions, as far as the source tells: each once, in the order of the requests.
    pub origins: Vec<String>,
}

/// What came of asking every source, without publishing anything.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rehearsal {
    /// How many files there would be.
    pub file_count: usize,
    /// What a person should know; also which file of `[files]` wins over an import.
    pub warnings: Vec<WarningReport>,
}

impl Notification {
    /// Reads what is noted of a generation.
    pub(crate) fn noted(announcement: Option<Announcement>) -> Self {
        match announcement {
            None => Self::NotConfigured,
            Some(Announcement::Pending) => Self::Pending,
            Some(Announcement::Done) => Self::Succeeded,
        }
    }
}

impl Outcome {
    pub(crate) fn new(path: &Path, comparison: &Comparison, files: usize) -> Self {
        Self {
            state: if comparison.is_same() { State::Unchanged } else { State::Published },
            path: path.display().to_string(),
            warnings: Vec::new(),
            errors: Vec::new(),
            generation_id: String::new(),
            file_count: files,
            sources: Vec::new(),
            left_out: Vec::new(),
            defaulted: Vec::new(),
            changes: comparison.changes().iter().map(|change| FileChange::new(change, None, None)).collect(),
            on_change: Notification::NotConfigured,
            removed_count: 0,
            pinned_count: 0,
        }
    }

    pub(crate) fn swept(&mut self, sweep: &Sweep) {
        self.removed_count += sweep.removed().len();
        self.pinned_count += sweep.pinned().len();
        self.warnings.extend(sweep.deferred().iter().map(WarningReport::deferred));
    }

    /// Notes that a step failed after the flip.
    pub(crate) fn failed_at_step(&mut self, kind: ErrorKind, error: &atomicdir::Error, hint: Option<&str>) {
        self.errors.push(ErrorReport::at_step(kind, error).with_hint(hint));
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.state {
            State::Published => "published ",
            State::Unchanged => "unchanged: ",
        };
        let files = count(self.file_count, "file");
        write!(f, "{what}{files} at {} (generation {})", escape(&self.path), self.generation_id)?;
        missing::lines(f, &self.left_out, &self.defaulted)
    }
}
