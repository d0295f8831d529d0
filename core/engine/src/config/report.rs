//! Collects what is wrong while a configuration is resolved.

use std::collections::BTreeSet;
use std::path::Path;

use secretdir_provider::{KeyPath, SettingsError};

use super::Config;
use super::lines::Lines;
use crate::problem::{ConfigError, Problem};

/// What has been found so far: what keeps the configuration from being a plan, and what a person should know.
pub(crate) struct Report<'c> {
    file: &'c Path,
    lines: &'c Lines,
    errors: Vec<Problem>,
    /// Sorted, by line above all: every one is about the same file.
    warnings: BTreeSet<Problem>,
}

impl<'c> Report<'c> {
    /// Starts a report on a configuration, with what is known to be wrong with it.
    pub(crate) fn on(config: &'c Config) -> Self {
        let errors = config.problems.clone();
        Self { file: &config.file, lines: &config.lines, errors, warnings: BTreeSet::new() }
    }

    /// Notes what keeps the configuration from being a plan.
    pub(crate) fn error(&mut self, path: &KeyPath, message: impl Into<String>) {
        let problem = self.problem(path, message);
        self.errors.push(problem);
    }

    /// Notes what is wrong with the settings below a key.
    pub(crate) fn settings(&mut self, below: &KeyPath, error: &SettingsError) {
        for problem in error.problems() {
            self.error(&below.join(problem.path()), problem.message());
        }
    }

    /// Notes a warning. One that was noted before, because several files inherit what it is about, is noted once.
    pub(crate) fn warn(&mut self, path: &KeyPath, message: impl Into<String>) {
        let problem = self.problem(path, message);
        self.warnings.insert(problem);
    }

    /// Returns the warnings, sorted by line, unless there are errors.
    pub(crate) fn finish(self) -> Result<Vec<Problem>, ConfigError> {
        ConfigError::unless_empty(self.errors)?;
        Ok(self.warnings.into_iter().collect())
    }

    fn problem(&self, path: &KeyPath, message: impl Into<String>) -> Problem {
        Problem::new(self.file, Some(self.lines.of(path)), path.clone(), message)
    }
}
