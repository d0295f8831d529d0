//! Reports of errors and warnings, for people and programs: the kind, one line of text, and its subject.
//!
//! Each type of error has its conversion to an [`ErrorReport`] in its own module. Only the conversion of the errors of
//! `atomicdir` is here. So every command prints an error in the same way. Neither a message nor a field contains a secret
//! value.

mod kind;
mod phrases;
mod publish;

use std::error::Error;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

pub use kind::ErrorKind;
pub use phrases::{count, describe};
pub(crate) use phrases::{enumerate, in_a_row};

use crate::escape::escape;

/// An error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ErrorReport {
    /// The kind of the error, as a word for programs.
    pub kind: ErrorKind,
    /// The message, in one line, with each cause once.
    pub message: String,
    /// A hint: what a person can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
}

/// A warning: the command goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct WarningReport {
    /// What a person should know, in one line.
    pub message: String,
    /// The kind of the warning, from the same words as for errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ErrorKind>,
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
}

/// What an error or a warning is about, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct About {
    /// The configuration file, or the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in that file, counted from 1. Without `file`, the line in the template of the first of `file_names`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column in that line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The dotted path of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The requested profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// With `--all-profiles`: the profiles with this error.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profile_names: Vec<String>,
    /// The name of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The names of the secrets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secret_names: Vec<String>,
    /// The files that cannot be written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub file_names: Vec<String>,
    /// The number of the failed step of publishing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u8>,
    /// The path that could not be read, written or run. If publishing failed, the path at which the step failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl ErrorReport {
    /// Makes a report of an error with all its causes.
    pub fn new(kind: ErrorKind, error: &dyn Error) -> Self {
        Self::from_message(kind, describe(error))
    }

    /// Makes a report from a message. Names from outside must already be [escaped](crate::escape).
    pub fn from_message(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, about: About::default() }
    }

    /// Sets the hint.
    #[must_use]
    pub fn with_hint(self, hint: Option<impl Into<String>>) -> Self {
        Self { hint: hint.map(Into::into), ..self }
    }

    /// Sets the subject.
    #[must_use]
    pub fn about(self, about: About) -> Self {
        Self { about, ..self }
    }

    /// Sets the path at which it happened.
    #[must_use]
    pub fn at_path(mut self, path: &Path) -> Self {
        self.about.path = Some(path.display().to_string());
        self
    }

    /// Sets the profiles with this error. `None` is the configuration without a profile. If the error is found there, it
    /// belongs to no profile.
    #[must_use]
    pub fn found_with(self, profiles: &[Option<&str>]) -> Self {
        let Some(names) = named(profiles) else { return self };
        let message = format!("{}{}", with(&names), self.message);
        Self { message, about: About { profile_names: names, ..self.about }, ..self }
    }

    /// Sets the profile with which the configuration was read.
    #[must_use]
    pub fn with_profile(mut self, profile: Option<&str>) -> Self {
        self.about.profile = profile.map(str::to_owned);
        self
    }
}

impl WarningReport {
    /// Sets the subject.
    #[must_use]
    pub fn about(self, about: About) -> Self {
        Self { about, ..self }
    }

    /// Sets the profiles with this warning, as [`ErrorReport::found_with`] does.
    #[must_use]
    pub fn found_with(self, profiles: &[Option<&str>]) -> Self {
        let Some(names) = named(profiles) else { return self };
        let message = format!("{}{}", with(&names), self.message);
        Self { message, about: About { profile_names: names, ..self.about }, ..self }
    }

    /// Makes a warning from an error that did not prevent publishing. The next run tries again.
    pub(crate) fn deferred(error: &atomicdir::Error) -> Self {
        let ErrorReport { kind, message, about, .. } = error.into();
        Self { message: format!("left for the next run: {message}"), kind: Some(kind), about }
    }
}

impl From<String> for WarningReport {
    fn from(message: String) -> Self {
        Self { message, kind: None, about: About::default() }
    }
}

/// Returns the names, or none if one of them is the configuration without a profile.
fn named(profiles: &[Option<&str>]) -> Option<Vec<String>> {
    profiles.iter().map(|name| name.map(str::to_owned)).collect()
}

fn with(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{}`", escape(name))).collect();
    let profiles = if let [_] = names { "profile" } else { "profiles" };
    format!("with {profiles} {}: ", quoted.join(", "))
}
