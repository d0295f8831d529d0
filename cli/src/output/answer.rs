//! The answer of a command, as text and as JSON.
//!
//! The JSON is a contract. `secretdir schema --output` is made from the types that are serialised here, and
//! docs/json.md has tables of it. Every answer begins with the same fields. The fields of the command follow.

use schemars::JsonSchema;
use secretdir_engine::{ErrorReport, WarningReport};
use serde::Serialize;

use crate::Exit;

/// The version of the contract. Fields and kinds may be added to it. Any other change needs a new number.
const SCHEMA_VERSION: u32 = 1;

/// The answer of a command that has done its work.
#[derive(Debug)]
pub(crate) struct Answer<S, T> {
    pub(super) state: S,
    pub(super) own: T,
    pub(super) text: Text,
    pub(super) warnings: Vec<WarningReport>,
    pub(super) errors: Vec<ErrorReport>,
    pub(super) if_unwritten: IfUnwritten,
    exit: Exit,
}

/// The text of an answer.
#[derive(Debug)]
pub(crate) enum Text {
    /// Lines that report what was done. `--quiet` leaves them out.
    Summary(String),
    /// Lines that are the purpose of the command.
    Listing(String),
    /// A text that this project has written for a program.
    Script(String),
}

/// The effect of an answer that cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfUnwritten {
    /// The command has failed.
    Fails,
    /// The exit code stays, because it says more than that.
    EndsAsEver,
}

/// What every answer begins with.
#[derive(Serialize, JsonSchema)]
pub(super) struct Envelope<'a, S, T> {
    /// The version of this schema.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The exit code as a word.
    state: S,
    /// The exit code of the process.
    exit_code: u8,
    /// The warnings.
    warnings: &'a [WarningReport],
    /// The errors. Empty unless `state` is `failed`, or the set is published and a later step failed (exit code 6).
    errors: &'a [ErrorReport],
    #[serde(flatten)]
    own: T,
}

/// The state of a command that failed.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FailedState {
    /// The command failed. The published set was not changed.
    Failed,
}

/// The state of a command that succeeds or fails.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DoneState {
    /// It succeeded.
    Ok,
}

/// A command that failed.
#[derive(Serialize, JsonSchema)]
pub(super) struct NothingElse {}

impl<S, T> Answer<S, T> {
    /// Makes the answer of a command that succeeded without a warning.
    pub(crate) fn new(state: S, own: T, text: Text) -> Self {
        let (warnings, errors) = (Vec::new(), Vec::new());
        Self { state, own, text, warnings, errors, if_unwritten: IfUnwritten::Fails, exit: Exit::Success }
    }

    pub(crate) fn with_warnings(self, warnings: Vec<WarningReport>) -> Self {
        Self { warnings, ..self }
    }

    /// Adds errors of later steps, although the command has done its work.
    pub(crate) fn with_errors(self, errors: Vec<ErrorReport>) -> Self {
        Self { errors, ..self }
    }

    pub(crate) fn with_exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    pub(crate) fn if_unwritten(self, if_unwritten: IfUnwritten) -> Self {
        Self { if_unwritten, ..self }
    }

    /// Returns the exit code: that of the first error, if there is one.
    pub(super) fn exit(&self) -> Exit {
        self.errors.first().map_or(self.exit, |error| error.kind.into())
    }
}

impl<S: Copy + Serialize, T: Serialize> Answer<S, T> {
    pub(super) fn envelope(&self) -> Envelope<'_, S, &T> {
        Envelope {
            schema_version: SCHEMA_VERSION,
            state: self.state,
            exit_code: self.exit() as u8,
            warnings: &self.warnings,
            errors: &self.errors,
            own: &self.own,
        }
    }
}

impl<'a> Envelope<'a, FailedState, NothingElse> {
    /// Makes the answer of a command that failed.
    pub(super) fn failed(exit: Exit, errors: &'a [ErrorReport], warnings: &'a [WarningReport]) -> Self {
        let (state, exit_code, own) = (FailedState::Failed, exit as u8, NothingElse {});
        Self { schema_version: SCHEMA_VERSION, state, exit_code, warnings, errors, own }
    }
}
