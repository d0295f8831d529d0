//! Problems of a configuration, with their positions.

use std::fmt;
use std::path::{Path, PathBuf};

use secretdir_provider::KeyPath;

use crate::escape::escape;
use crate::report::{About, ErrorKind, ErrorReport, WarningReport};
use secretdir_helpers::Position;

/// A mistake in a configuration, or a warning about it.
///
/// `Display` gives one line, `FILE:LINE:COLUMN: DOTTED.PATH: message`, without unknown parts. It is [escaped](escape). The
/// message may name keys, files, sources and secrets, but never contains settings of a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    file: PathBuf,
    position: Option<Position>,
    path: KeyPath,
    message: String,
}

impl Problem {
    pub(crate) fn new(
        file: &Path,
        position: Option<Position>,
        path: KeyPath,
        message: impl Into<String>,
    ) -> Self {
        Self { file: file.to_owned(), position, path, message: message.into() }
    }

    /// Returns the configuration file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Returns the line, counted from 1. None if the file could not be read.
    pub fn line(&self) -> Option<usize> {
        self.position.map(|position| position.line)
    }

    /// Returns the column in that line, in characters, counted from 1.
    pub fn column(&self) -> Option<usize> {
        self.position.map(|position| position.column)
    }

    /// Returns the path of the key. It is empty if the file is not TOML.
    pub fn path(&self) -> &KeyPath {
        &self.path
    }

    /// Returns what is wrong and, if possible, what to do.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns a report of this kind.
    fn report(&self, kind: ErrorKind) -> ErrorReport {
        ErrorReport::from_message(kind, self.to_string()).about(self.about())
    }

    fn about(&self) -> About {
        let key = (!self.path.segments().is_empty()).then(|| self.path.to_string());
        About {
            file: Some(self.file.display().to_string()),
            line: self.line(),
            column: self.column(),
            key,
            ..About::default()
        }
    }
}

impl From<&Problem> for ErrorReport {
    fn from(problem: &Problem) -> Self {
        problem.report(ErrorKind::Configuration)
    }
}

impl From<&Problem> for WarningReport {
    fn from(problem: &Problem) -> Self {
        let kind = Some(ErrorKind::Configuration);
        Self { kind, ..Self::from(problem.to_string()) }.about(problem.about())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", escape(&self.file.to_string_lossy()))?;
        if let Some(position) = self.position {
            write!(f, "{position}:")?;
        }
        if !self.path.segments().is_empty() {
            write!(f, " {}:", escape(&self.path.to_string()))?;
        }
        write!(f, " {}", escape(&self.message))
    }
}

/// Every mistake in a configuration: at least one problem, sorted by line.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.problems))]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    /// Returns the problems, sorted by line.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns a report for each problem.
    pub fn reports(&self) -> Vec<ErrorReport> {
        self.problems.iter().map(ErrorReport::from).collect()
    }

    /// Returns a report of this kind for each problem.
    pub(crate) fn reports_of(&self, kind: ErrorKind) -> Vec<ErrorReport> {
        self.problems.iter().map(|problem| problem.report(kind)).collect()
    }

    /// Returns an error if there are problems.
    pub(crate) fn unless_empty(mut problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        // The sort is stable: problems of one line stay in the order in which they were found. So a misspelt key comes
        // before the key that is missing because of it.
        problems.sort_by_key(Problem::line);
        Err(Self { problems })
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Removes the columns from problems, because most tests are about the lines.
#[cfg(test)]
pub(crate) fn without_columns(text: &str) -> String {
    let line = |line: &str| {
        let parts: Vec<_> = line.splitn(4, ':').collect();
        match parts.as_slice() {
            [file, line, column, rest] if [line, column].iter().all(|part| part.parse::<usize>().is_ok()) => {
                format!("{file}:{line}:{rest}")
            }
            _ => line.to_owned(),
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_one_line_with_what_is_known() {
        let file = Path::new("x.toml");
        let cases = [
            (Some((3, 7)), KeyPath::from(["files", "a/b"]), "x.toml:3:7: files.\"a/b\": two\\nlines"),
            (Some((3, 7)), KeyPath::default(), "x.toml:3:7: two\\nlines"),
            (None, KeyPath::default(), "x.toml: two\\nlines"),
        ];
        for (place, path, expected) in cases {
            let position = place.map(|(line, column)| Position { line, column });
            assert_eq!(Problem::new(file, position, path, "two\nlines").to_string(), expected);
        }
    }

    #[test]
    fn problems_are_sorted_by_line() {
        let at = |line: Option<usize>| {
            let position = line.map(|line| Position { line, column: 1 });
            Problem::new(Path::new("x"), position, KeyPath::default(), "bad")
        };
        let error = ConfigError::unless_empty(vec![at(Some(9)), at(None), at(Some(2))]).unwrap_err();
        assert_eq!(error.to_string(), "x: bad\nx:2:1: bad\nx:9:1: bad");
    }
}
