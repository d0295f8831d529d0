//! Errors of settings.

use std::fmt;

use super::path::{KeyPath, Segment};

/// All problems with the settings of a source: at least one.
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

/// One problem: its path and a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsProblem {
    path: KeyPath,
    message: String,
}

impl SettingsError {
    /// Reports one problem with a key of the settings, or with one below it. The message must not contain the configured value.
    pub fn new(key: impl Into<KeyPath>, message: impl Into<String>) -> Self {
        Self { problems: vec![SettingsProblem::new(key.into(), message)] }
    }

    /// Adds more problems.
    #[must_use]
    pub fn and(mut self, other: SettingsError) -> Self {
        self.problems.extend(other.problems);
        self
    }

    /// Returns the problems.
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

    /// Puts a segment in front of the path.
    pub(super) fn move_under(&mut self, segment: Segment) {
        self.path = std::mem::take(&mut self.path).under(segment);
    }

    /// Returns the path of the problem, from the top of the settings.
    pub fn path(&self) -> &KeyPath {
        &self.path
    }

    /// Returns the message.
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
