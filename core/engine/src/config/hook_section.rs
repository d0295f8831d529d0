//! The sections of the commands before and after a change.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::defaults::{ON_CHANGE_TIMEOUT, VERIFY_TIMEOUT};
use crate::config::section::Section;
use crate::config::{shapes, values};

/// A command that looks at a new set before it is published: if it fails, nothing is published.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct VerifySection {
    /// Program and arguments. No shell reads them. The new set is in the folder that SECRETDIR_PATH names.
    #[schemars(length(min = 1))]
    pub(crate) command: Option<Vec<String>>,
    /// How long it may take before it is killed with all that it started.
    #[schemars(schema_with = "shapes::some_duration", extend("default" = shapes::text(VERIFY_TIMEOUT)))]
    #[serde(deserialize_with = "values::some_duration")]
    pub(crate) timeout: Option<Duration>,
}

impl Section for VerifySection {
    const REQUIRED: &'static [&'static str] = &["command"];
}

/// What happens after each change, once for the whole set, and again with the next run until it has succeeded: a command, systemd units
/// that are reloaded, or a file that is touched.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct OnChangeSection {
    /// Program and arguments. No shell reads them.
    #[schemars(length(min = 1))]
    pub(crate) command: Option<Vec<String>>,
    /// Units of systemd that are reloaded, or restarted where they cannot be, without waiting for that. Instead of `command`.
    #[schemars(length(min = 1))]
    pub(crate) units: Option<Vec<String>>,
    /// The name of a file beside the link that is touched: for a `.path` unit of systemd.
    #[schemars(length(min = 1))]
    pub(crate) stamp: Option<String>,
    /// The longest random wait before, so that many hosts do not do it at once.
    #[schemars(schema_with = "shapes::duration", extend("default" = "0s"))]
    #[serde(deserialize_with = "values::duration")]
    pub(crate) splay: Option<Duration>,
    /// How long it may take before it is killed with all that it started.
    #[schemars(schema_with = "shapes::some_duration", extend("default" = shapes::text(ON_CHANGE_TIMEOUT)))]
    #[serde(deserialize_with = "values::some_duration")]
    pub(crate) timeout: Option<Duration>,
}

impl Section for OnChangeSection {
    /// One of `command`, `units` and `stamp`.
    const REQUIRED: &'static [&'static str] = &[];
}
