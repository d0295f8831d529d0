//! Collects the problems that are found while a configuration is resolved.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use secretdir_provider::{KeyPath, SettingsError};

use super::Config;
use super::input::Input;
use super::positions::Positions;
use crate::problem::{ConfigError, Problem};

/// The findings so far. Errors prevent a plan, warnings do not.
pub(crate) struct Report<'c> {
    file: &'c Path,
    positions: &'c Positions,
    errors: Vec<Problem>,
    /// Sorted by line first, because all are about the same file.
    warnings: BTreeSet<Problem>,
    inputs: Vec<Input>,
    mentions: Vec<Mention>,
}

/// The findings about a valid configuration.
pub(crate) struct Findings {
    /// Sorted by line.
    pub(crate) warnings: Vec<Problem>,
    /// The files that were read.
    pub(crate) inputs: Vec<Input>,
    pub(crate) mentions: Vec<Mention>,
}

/// A key that names a user or a group. They need not exist on the machine that checks the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) who: Named,
    /// The problem to report if the system does not know the name.
    pub(crate) problem: Problem,
}

/// A user or a group, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    User(String),
    Group(String),
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "user `{name}`"),
            Self::Group(name) => write!(f, "group `{name}`"),
        }
    }
}

impl<'c> Report<'c> {
    /// Starts a report on a configuration with the problems found so far.
    pub(crate) fn on(config: &'c Config) -> Self {
        let errors = config.problems.clone();
        let inputs = config.input.iter().cloned().collect();
        let (warnings, mentions) = (BTreeSet::new(), Vec::new());
        Self { file: &config.file, positions: &config.positions, errors, warnings, inputs, mentions }
    }

    /// Adds an error, which prevents a plan.
    pub(crate) fn error(&mut self, path: &KeyPath, message: impl Into<String>) {
        let problem = self.problem(path, message);
        self.errors.push(problem);
    }

    /// Adds the errors of the settings below a key.
    pub(crate) fn settings(&mut self, below: &KeyPath, error: &SettingsError) {
        for problem in error.problems() {
            self.error(&below.join(problem.path()), problem.message());
        }
    }

    /// Adds a warning. If several files inherit the setting that it is about, it is added only once.
    pub(crate) fn warn(&mut self, path: &KeyPath, message: impl Into<String>) {
        let problem = self.problem(path, message);
        self.warnings.insert(problem);
    }

    /// Adds an input file of the plan.
    pub(crate) fn input(&mut self, input: Input) {
        self.inputs.push(input);
    }

    /// Adds a key that names a user or a group.
    pub(crate) fn mention(&mut self, path: &KeyPath, who: Named) {
        let problem =
            self.problem(path, format!("there is no {who} on this system: create it first, or use a number"));
        self.mentions.push(Mention { who, problem });
    }

    /// Returns the findings, unless there are errors.
    pub(crate) fn finish(self) -> Result<Findings, ConfigError> {
        ConfigError::unless_empty(self.errors)?;
        let warnings = self.warnings.into_iter().collect();
        Ok(Findings { warnings, inputs: self.inputs, mentions: self.mentions })
    }

    fn problem(&self, path: &KeyPath, message: impl Into<String>) -> Problem {
        Problem::new(self.file, Some(self.positions.of(path)), path.clone(), message)
    }
}
