//! What came of a run: printable, serialisable, and without any value.

use std::fmt;
use std::path::Path;

use atomicdir::{ChangeKind, Comparison, Sweep};
use serde::Serialize;

use crate::escape::escape;
use crate::report::{count, describe};

/// What came of a run that did not fail before the flip.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether there was anything to publish.
    pub state: State,
    /// The link, as text: what is not UTF-8 in it is replaced.
    pub path: String,
    /// The generation that the link names now.
    pub generation: String,
    /// How many files it has.
    pub files: usize,
    /// Which sources were asked, and where they answered, in the order of their names.
    pub sources: Vec<AskedSource>,
    /// The optional files that are not there: their secrets, or fields, were not found.
    pub left_out: Vec<String>,
    /// The files that have their default content, for the same reason.
    pub defaulted: Vec<String>,
    /// What is different from before, in the order of the names.
    pub changes: Vec<FileChange>,
    /// What became of the command of `[on-change]`.
    pub on_change: Notification,
    /// How many superseded or unfinished generations were removed.
    pub removed: usize,
    /// How many generations are due, but read by somebody.
    pub pinned: usize,
    /// What is still there although it should not be, and why. The next run tries again.
    pub deferred: Vec<String>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// What failed after the flip: durability unknown, or the command.
    pub failures: Vec<LateFailure>,
}

/// Whether there was anything to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A new generation is current.
    Published,
    /// What is published is what is wanted.
    Unchanged,
}

/// What became of the command of `[on-change]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Serialize)]
pub struct AskedSource {
    /// Its name.
    pub name: String,
    /// How many secrets it gave.
    pub secrets: usize,
    /// The places that answered, such as regions, as far as the source tells: each once, in the order of the requests.
    pub origins: Vec<String>,
}

/// One difference to what was published before.
#[derive(Debug, Serialize)]
pub struct FileChange {
    /// The file, or the directory.
    pub name: String,
    /// How it differs.
    pub kind: FileChangeKind,
}

/// How a file differs from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FileChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It holds something else.
    Content,
    /// Its mode or owner is another.
    Attributes,
}

/// A failure after the flip.
#[derive(Debug, Serialize)]
pub struct LateFailure {
    /// What failed, and why.
    pub message: String,
    /// What a person can do about it.
    pub hint: Option<String>,
}

impl Outcome {
    pub(crate) fn new(path: &Path, comparison: &Comparison, files: usize) -> Self {
        Self {
            state: if comparison.is_same() { State::Unchanged } else { State::Published },
            path: path.display().to_string(),
            generation: String::new(),
            files,
            sources: Vec::new(),
            left_out: Vec::new(),
            defaulted: Vec::new(),
            changes: comparison.changes().iter().map(FileChange::from).collect(),
            on_change: Notification::NotConfigured,
            removed: 0,
            pinned: 0,
            deferred: Vec::new(),
            warnings: Vec::new(),
            failures: Vec::new(),
        }
    }

    pub(crate) fn swept(&mut self, sweep: &Sweep) {
        self.removed += sweep.removed().len();
        self.pinned += sweep.pinned().len();
        self.deferred.extend(sweep.deferred().iter().map(|error| describe(error)));
    }

    pub(crate) fn failed(&mut self, error: &dyn std::error::Error, hint: Option<&str>) {
        self.failures.push(LateFailure { message: describe(error), hint: hint.map(str::to_owned) });
    }
}

impl From<&atomicdir::Change> for FileChange {
    fn from(change: &atomicdir::Change) -> Self {
        Self { name: change.name.clone(), kind: change.into() }
    }
}

impl From<&atomicdir::Change> for FileChangeKind {
    fn from(change: &atomicdir::Change) -> Self {
        match change.kind {
            ChangeKind::Added => Self::Added,
            ChangeKind::Removed => Self::Removed,
            ChangeKind::Content => Self::Content,
            _ => Self::Attributes,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.state {
            State::Published => "published ",
            State::Unchanged => "unchanged: ",
        };
        let files = count(self.files, "file");
        write!(f, "{what}{files} at {} (generation {})", escape(&self.path), self.generation)?;
        for (what, names) in [("left out", &self.left_out), ("by default", &self.defaulted)] {
            if !names.is_empty() {
                write!(f, "\n{what}: {}", escape(&names.join(", ")))?;
            }
        }
        Ok(())
    }
}
