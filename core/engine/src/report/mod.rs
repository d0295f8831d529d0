//! What a person or a program is told of an error or a warning: what kind it is, one line of text, and what it is about.
//!
//! Each type of error says beside itself how it becomes an [`ErrorReport`]; those of `atomicdir` and of gathering do so here. So
//! there is one way to print an error, whichever command meets it. Neither a message nor a field holds a value of a secret.

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
    /// What went wrong, as a word for programs.
    pub kind: ErrorKind,
    /// What went wrong, in one line: each cause once.
    pub message: String,
    /// What a person can do about it.
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
    /// What kind of error it would be.
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
    /// The line in that file, counted from 1. Without `file`, in the template of the first of `file_names`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column in that line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The dotted path of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The profile that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The profiles with which it is found, of a check of all of them.
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
    /// The number of the step of publishing that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u8>,
    /// The path that could not be read, written or run; of publishing, the path that the step failed at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl ErrorReport {
    /// Makes a report of an error and of all that caused it.
    pub fn new(kind: ErrorKind, error: &dyn Error) -> Self {
        Self::from_message(kind, describe(error))
    }

    /// Makes a report whose message is a text of our own, [escaped](crate::escape) where it names what comes from outside.
    pub fn from_message(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, about: About::default() }
    }

    /// Says what a person can do about it.
    #[must_use]
    pub fn with_hint(self, hint: Option<impl Into<String>>) -> Self {
        Self { hint: hint.map(Into::into), ..self }
    }

    /// Says what it is about.
    #[must_use]
    pub fn about(self, about: About) -> Self {
        Self { about, ..self }
    }

    /// Says at which path it happened.
    #[must_use]
    pub fn at_path(mut self, path: &Path) -> Self {
        self.about.path = Some(path.display().to_string());
        self
    }

    /// Says with which profiles it is found, `None` being the configuration itself: what is wrong there is no matter of a profile.
    #[must_use]
    pub fn found_with(self, profiles: &[Option<&str>]) -> Self {
        let Some(names) = named(profiles) else { return self };
        let message = format!("{}{}", with(&names), self.message);
        Self { message, about: About { profile_names: names, ..self.about }, ..self }
    }

    /// Says with which profile the configuration was read.
    #[must_use]
    pub fn with_profile(mut self, profile: Option<&str>) -> Self {
        self.about.profile = profile.map(str::to_owned);
        self
    }
}

impl WarningReport {
    /// Says what it is about.
    #[must_use]
    pub fn about(self, about: About) -> Self {
        Self { about, ..self }
    }

    /// Says with which profiles it is found, as [`ErrorReport::found_with`] does.
    #[must_use]
    pub fn found_with(self, profiles: &[Option<&str>]) -> Self {
        let Some(names) = named(profiles) else { return self };
        let message = format!("{}{}", with(&names), self.message);
        Self { message, about: About { profile_names: names, ..self.about }, ..self }
    }

    /// Makes a warning of an error that keeps nothing from being published: the next run tries again.
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

/// Returns the names, unless something is found without a profile as well.
fn named(profiles: &[Option<&str>]) -> Option<Vec<String>> {
    profiles.iter().map(|name| name.map(str::to_owned)).collect()
}

fn with(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{}`", escape(name))).collect();
    let profiles = if let [_] = names { "profile" } else { "profiles" };
    format!("with {profiles} {}: ", quoted.join(", "))
}
