//! The plan in use. A valid configuration replaces it as a whole, and an invalid one changes nothing.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;

use secretdir_provider::SourceErrorKind;

use crate::failure::{SyncError, SyncFailure};
use crate::plan::Plan;
use crate::problem::ConfigError;
use crate::registry::Registry;
use crate::sync::OutdatedPlan;

/// The sources are built again after this many turns in a row in which a store did not accept the credentials. A library
/// may cache for the life of its client that there are none.
const REBUILD_AFTER: u32 = 3;

/// The plan in use.
pub(super) struct Plans<'r> {
    /// Shared with the turn in progress.
    plan: Arc<Plan>,
    registry: &'r Registry,
    /// The problems of the current configuration, if it was refused.
    refused: Option<String>,
    is_reload_due: Cell<bool>,
    /// The number of turns in a row that failed because of credentials.
    unauthenticated: u32,
}

/// The result of checking the configuration.
pub(super) enum ReloadResult {
    Unchanged,
    /// It was invalid, and again has the content that is in use.
    Restored,
    /// It was replaced. This is the old plan.
    Replaced(Arc<Plan>),
    /// It is the same, but its sources were built again. This is the old plan.
    Rebuilt(Arc<Plan>),
    /// It is invalid, and was valid before or had other problems.
    Refused(ConfigError),
}

impl<'r> Plans<'r> {
    pub(super) fn new(plan: Plan, registry: &'r Registry) -> Self {
        Self {
            plan: Arc::new(plan),
            registry,
            refused: None,
            is_reload_due: Cell::new(false),
            unauthenticated: 0,
        }
    }

    pub(super) fn current(&self) -> &Plan {
        &self.plan
    }

    pub(super) fn shared(&self) -> Arc<Plan> {
        Arc::clone(&self.plan)
    }

    /// Returns whether a run may use the plan although its files have changed since.
    pub(super) fn outdated(&self) -> OutdatedPlan {
        if self.refused.is_some() { OutdatedPlan::Allowed } else { OutdatedPlan::Refused }
    }

    /// Requests that the configuration is read again before the next turn, even if it has not changed.
    pub(super) fn reload(&self) {
        self.is_reload_due.set(true);
    }

    /// Reads the configuration again, if that is due.
    pub(super) fn renew(&mut self) -> ReloadResult {
        let is_asked = self.is_reload_due.take();
        let is_rebuilt = self.unauthenticated >= REBUILD_AFTER;
        let is_same = !is_asked && !self.plan.is_outdated();
        if is_same && self.refused.take().is_some() {
            return ReloadResult::Restored;
        }
        if is_same && !is_rebuilt {
            return ReloadResult::Unchanged;
        }
        match self.plan.renewed(self.registry) {
            Ok(plan) => {
                let old = std::mem::replace(&mut self.plan, Arc::new(plan));
                self.refused = None;
                self.unauthenticated = 0;
                if is_same { ReloadResult::Rebuilt(old) } else { ReloadResult::Replaced(old) }
            }
            Err(error) => {
                let told = error.to_string();
                let is_new = is_asked || self.refused.as_ref() != Some(&told);
                self.refused = Some(told);
                if is_new { ReloadResult::Refused(error) } else { ReloadResult::Unchanged }
            }
        }
    }

    /// Restores the old plan, because the link of the new one cannot be used. The new configuration is tried again before
    /// the next turn.
    pub(super) fn revert(&mut self, old: Arc<Plan>) {
        self.refused = Some(String::new());
        self.plan = old;
    }

    /// Counts the turns in a row that fail because of credentials.
    pub(super) fn note(&mut self, failure: Option<&SyncFailure>) {
        let is_unauthenticated = match failure.map(|failure| &failure.error) {
            Some(SyncError::Gather(error)) => error
                .failures()
                .iter()
                .any(|failure| failure.kind() == Some(SourceErrorKind::Unauthenticated)),
            _ => false,
        };
        self.unauthenticated = if is_unauthenticated { self.unauthenticated + 1 } else { 0 };
    }

    /// Returns the local files and folders that the set depends on.
    pub(super) fn local_paths(&self) -> Vec<PathBuf> {
        let inputs = self.plan.inputs.iter().map(|input| input.path().to_owned());
        let sources = self.plan.sources.iter().flat_map(|source| source.source.local_paths());
        inputs.chain(sources).collect()
    }
}
