//! The result of publishing, or of finding that nothing has changed.

use std::time::{Duration, SystemTime};

use atomicdir::{Comparison, Sweep};
use schemars::JsonSchema;
use serde::Serialize;

use super::manifest::Announcement;
use crate::report::{ErrorKind, ErrorReport, WarningReport};

/// The result of publishing a bundle.
pub(crate) struct Publication {
    /// The differences from the previous set.
    pub(crate) comparison: Comparison,
    /// The generation that the link names now.
    pub(crate) generation_id: String,
    pub(crate) on_change: Notification,
    /// The remaining backoff of the command, if it is postponed.
    pub(crate) postponed: Option<Duration>,
    pub(crate) warnings: Vec<WarningReport>,
    /// The failures after the flip.
    pub(crate) errors: Vec<ErrorReport>,
    pub(crate) removed_count: usize,
    pub(crate) pinned_count: usize,
    /// The notes of the generations that were removed.
    pub(crate) removed_notes: Vec<Vec<u8>>,
    /// How many superseded generations remain.
    pub(crate) superseded_count: usize,
    /// When the first secret must be renewed.
    pub(crate) renew_at: Option<SystemTime>,
    /// The first expiry of a secret.
    pub(crate) valid_until: Option<SystemTime>,
}

/// The state of `[on-change]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Notification {
    /// There is none.
    NotConfigured,
    /// Nothing has changed, so it did not run.
    NotNeeded,
    /// It succeeded.
    Succeeded,
    /// It failed, or its success could not be recorded. The next run repeats it.
    Pending,
    /// It has failed before. It is repeated after a backoff.
    Postponed,
    /// Another process is running it.
    RunningElsewhere,
    /// The current user may not read its state.
    Unknown,
}

impl Notification {
    /// Returns whether the command has not succeeded yet.
    pub(crate) fn is_pending(self) -> bool {
        matches!(self, Self::Pending | Self::Postponed | Self::RunningElsewhere)
    }

    /// Converts the state in the note of a generation.
    pub(crate) fn noted(announcement: Option<Announcement>) -> Self {
        match announcement {
            None => Self::NotConfigured,
            Some(Announcement::Pending) => Self::Pending,
            Some(Announcement::Done) => Self::Succeeded,
        }
    }
}

impl Publication {
    pub(super) fn new(comparison: Comparison) -> Self {
        Self {
            comparison,
            generation_id: String::new(),
            on_change: Notification::NotConfigured,
            postponed: None,
            warnings: Vec::new(),
            errors: Vec::new(),
            removed_count: 0,
            pinned_count: 0,
            removed_notes: Vec::new(),
            superseded_count: 0,
            renew_at: None,
            valid_until: None,
        }
    }

    pub(super) fn swept(&mut self, sweep: &Sweep) {
        self.removed_count += sweep.removed().len();
        self.pinned_count += sweep.pinned().len();
        self.removed_notes.extend(sweep.removed_notes().iter().cloned());
        self.warnings.extend(sweep.deferred().iter().map(WarningReport::deferred));
    }

    /// Adds an error of a step after the flip.
    pub(super) fn failed_at_step(&mut self, kind: ErrorKind, error: &atomicdir::Error, hint: Option<&str>) {
        self.errors.push(ErrorReport::at_step(kind, error).with_hint(hint));
    }
}
