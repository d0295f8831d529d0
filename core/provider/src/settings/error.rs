//! What is wrong with settings.

use std::fmt;

use super::path::{KeyPath, Segment};

/// Everything that is wrong with the settings of a source: at least one problem.
///
/// ```
/// use secretdir_provider::SettingsError;
///
/// let error = SettingsError::new("endpoint-url", "must start with http:// or https://");
/// assert_eq!(error.to_string(), "endpoint-url: must start with http:// or https://");
/// let nested = SettingsError::new(["tls", "cert"], "is not a certificate");
/// assert_eq!(nested.to_string(), "tls.cert: is not a certificate");
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{}", list(.problems))]
pub struct SettingsError {
    problems: Vec<SettingsProblem>,
}

/// One thing that is wrong: where, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsProblem {
    path: KeyPath,
    message: String,
}

impl SettingsError {
    /// Reports one problem with a key of the settings, or with one below it. The message never holds the configured value.
    pub fn new(key: impl Into<KeyPath>, message: impl Into<String>) -> Self {
        Self { problems: vec![SettingsProblem::new(key.into(), message)] }
    }

    /// Adds what else is wrong.
    #[must_use]
    pub fn and(mut self, other: SettingsError) -> Self {
        self.problems.extend(other.problems);
        self
    }

    /// Returns what is wrong.
    pub fn problems(&self) -> &[SettingsProblem] {
        &self.problems
    }

    pub(super) fn from_problems(problems: impl IntoIterator<Item = SettingsProblem>) -> Self {
        Self { problems: problems.into_iter().collect() }
    }
}

impl SettingsProblem {
    pub(super) fn new(path: KeyPath, message: impl Into<String>) -> Self {
        Self { path, message: message.into() }
    }

    /// Puts a step in front of the path.
    pub(super) fn move_under(&mut self, segment: Segment) {
        self.path = std::mem::take(&mut self.path).under(segment);
    }

    /// Returns where the problem is, counted from the top of the settings.
    pub fn path(&self) -> &KeyPath {
        &self.path
    }

    /// Returns what the problem is.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for SettingsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

fn list(problems: &[SettingsProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
