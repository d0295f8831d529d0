//! The sections of the commands that run before and after a change.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::defaults::{ON_CHANGE_TIMEOUT, VERIFY_TIMEOUT};
use crate::config::section::Section;
use crate::config::{shapes, values};

/// Run a command on the new set before it is published. If it fails, nothing is published.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct VerifySection {
    /// The program and its arguments. There is no shell. SECRETDIR_PATH is the folder of the new set.
    #[schemars(length(min = 1))]
    pub(crate) command: Option<Vec<String>>,
    /// Time limit. After it, the command and all processes that it started are killed.
    #[schemars(schema_with = "shapes::some_duration", extend("default" = shapes::text(VERIFY_TIMEOUT)))]
    #[serde(deserialize_with = "values::some_duration")]
    pub(crate) timeout: Option<Duration>,
}

impl Section for VerifySection {
    const REQUIRED: &'static [&'static str] = &["command"];
}

/// After each change, run a command, reload systemd units, or touch a file: once for the whole set. The next run repeats it
/// until it succeeds.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct OnChangeSection {
    /// The program and its arguments. There is no shell.
    #[schemars(length(min = 1))]
    pub(crate) command: Option<Vec<String>>,
    /// Reload these systemd units, or restart those that cannot reload, without waiting. Instead of `command`.
    #[schemars(length(min = 1))]
    pub(crate) units: Option<Vec<String>>,
    /// Touch a file with this name beside the link, for a `.path` unit of systemd.
    #[schemars(length(min = 1), extend("examples" = ["app.changed"]))]
    pub(crate) stamp: Option<String>,
    /// Maximum random delay before it, so that many hosts do not act at once.
    #[schemars(schema_with = "shapes::duration", extend("default" = "0s"))]
    #[serde(deserialize_with = "values::duration")]
    pub(crate) splay: Option<Duration>,
    /// Time limit. After it, the command and all processes that it started are killed.
    #[schemars(schema_with = "shapes::some_duration", extend("default" = shapes::text(ON_CHANGE_TIMEOUT)))]
    #[serde(deserialize_with = "values::some_duration")]
    pub(crate) timeout: Option<Duration>,
}

impl Section for OnChangeSection {
    /// At least one of `command`, `units` and `stamp` is required, which is checked elsewhere.
    const REQUIRED: &'static [&'static str] = &[];
}
