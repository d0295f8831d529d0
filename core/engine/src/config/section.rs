//! The sections of a configuration as they are written. Every key may be missing; the plan adds the defaults.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use atomicdir::{Durability, Mode, Options, Parents};
use schemars::JsonSchema;
use secretdir_provider::{KeyPath, Segment, SettingsError, Table, Value};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::defaults::{CONCURRENCY, GATHER_TIMEOUT, MAX_BYTES, WATCH_INTERVAL};
use super::owner::Principal;
use super::report::Report;
use super::values::Splay;
use super::{shapes, values};

/// A table with known keys.
pub(crate) trait Section: Default + DeserializeOwned {
    /// The required keys.
    const REQUIRED: &'static [&'static str];
}

/// The top of the file.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only for its keys: each section is read by itself")]
struct Top {
    directory: Option<IgnoredAny>,
    verify: Option<IgnoredAny>,
    on_change: Option<IgnoredAny>,
    watch: Option<IgnoredAny>,
    gather: Option<IgnoredAny>,
    sources: Option<IgnoredAny>,
    files: Option<IgnoredAny>,
    import: Option<IgnoredAny>,
    profiles: Option<IgnoredAny>,
}

/// The published directory.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct DirectorySection {
    /// The symbolic link that readers use. A relative path starts at the folder of this file.
    #[schemars(length(min = 1))]
    pub(crate) path: Option<String>,
    /// Mode of the directory and of every directory in it.
    #[schemars(schema_with = "shapes::mode", extend("default" = Mode::OWNER_ONLY.to_string()))]
    #[serde(deserialize_with = "values::mode")]
    pub(crate) mode: Option<Mode>,
    /// Mode of each file.
    #[schemars(schema_with = "shapes::mode", extend("default" = Mode::OWNER_READS.to_string()))]
    #[serde(deserialize_with = "values::mode")]
    pub(crate) file_mode: Option<Mode>,
    /// Owner of the directory and the files, by name or number. If omitted, the owner is left alone.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "values::principal")]
    pub(crate) owner: Option<Principal>,
    /// Group of the directory and the files, by name or number. If omitted, the group is left alone.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "values::principal")]
    pub(crate) group: Option<Principal>,
    /// How long an old generation is kept for its last readers, at least. "0s" removes it right after the switch.
    #[schemars(schema_with = "shapes::duration", extend("default" = shapes::text(Options::RETAIN)))]
    #[serde(deserialize_with = "values::duration")]
    pub(crate) retain: Option<Duration>,
    /// How a set survives a power cut: with one syncfs, with one fsync for each file, or not at all.
    #[schemars(schema_with = "shapes::durability", extend("default" = "filesystem"))]
    #[serde(deserialize_with = "values::durability")]
    pub(crate) durability: Option<Durability>,
    /// "strict" refuses a path that a user other than root and the current one could replace. "trusted" allows it, for a shared
    /// volume such as the emptyDir of a Kubernetes pod.
    #[schemars(schema_with = "shapes::parents", extend("default" = "strict"))]
    #[serde(deserialize_with = "values::parents")]
    pub(crate) parents: Option<Parents>,
}

impl Section for DirectorySection {
    const REQUIRED: &'static [&'static str] = &["path"];
}

/// The schedule of `secretdir watch`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct WatchSection {
    /// How often the sources are polled, at least 1s. A source may have its own `refresh`.
    #[schemars(schema_with = "shapes::some_duration", extend("default" = shapes::text(WATCH_INTERVAL)))]
    #[serde(deserialize_with = "values::interval")]
    pub(crate) interval: Option<Duration>,
    /// The time over which the runs of several hosts are spread: "interval", or a shorter time. "0s" disables it.
    #[schemars(schema_with = "shapes::splay", extend("default" = "interval"))]
    #[serde(deserialize_with = "values::splay")]
    pub(crate) splay: Option<Splay>,
    /// Maximum age of the last success. After it, status, metrics and log report the set as stale. Nothing is ever deleted.
    #[schemars(schema_with = "shapes::some_duration")]
    #[serde(deserialize_with = "values::some_duration")]
    pub(crate) max_stale: Option<Duration>,
    /// Run when a local file changes: the configuration, a template, or a file of the provider `file`.
    #[schemars(extend("default" = true))]
    pub(crate) wake: Option<bool>,
    /// How long to wait for more changes after such a change.
    #[schemars(schema_with = "shapes::duration", extend("default" = "500ms"))]
    #[serde(deserialize_with = "values::duration")]
    pub(crate) debounce: Option<Duration>,
}

impl Section for WatchSection {
    const REQUIRED: &'static [&'static str] = &[];
}

/// The limits of fetching.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct GatherSection {
    /// Deadline for fetching all secrets, retries included.
    #[schemars(schema_with = "shapes::some_duration", extend("default" = shapes::text(GATHER_TIMEOUT)))]
    #[serde(deserialize_with = "values::some_duration")]
    pub(crate) timeout: Option<Duration>,
    /// Maximum number of requests in flight for each source.
    #[schemars(extend("default" = CONCURRENCY))]
    pub(crate) concurrency: Option<NonZeroUsize>,
    /// Maximum size in bytes of all secrets of a run together, and of all files together. They are held in memory.
    #[schemars(extend("default" = MAX_BYTES))]
    pub(crate) max_bytes: Option<NonZeroU64>,
}

impl Section for GatherSection {
    const REQUIRED: &'static [&'static str] = &[];
}

/// Reports unknown tables at the top level.
pub(crate) fn check_top(table: &Table, report: &mut Report<'_>) {
    if let Err(error) = table.parse::<Top>() {
        report.settings(&KeyPath::default(), &error);
    }
}

/// Parses as much of a section as possible. Invalid keys are reported and left out.
pub(crate) fn read<S: Section>(table: &Table, at: &KeyPath, report: &mut Report<'_>) -> S {
    for key in S::REQUIRED.iter().filter(|key| !table.contains_key(key)) {
        report.error(&at.clone().key(*key), "missing");
    }
    table.parse().unwrap_or_else(|error| {
        report.settings(at, &error);
        without_bad_keys(table, &error).parse().unwrap_or_default()
    })
}

/// Parses a section that may be missing.
pub(crate) fn read_if_there<S: Section>(top: &Table, key: &str, report: &mut Report<'_>) -> Option<S> {
    let at = KeyPath::from(key);
    let table = as_table(top.get(key)?, &at, report)?;
    Some(read(table, &at, report))
}

/// Returns a value as a table. Reports an error if it is not one.
pub(crate) fn as_table<'v>(value: &'v Value, at: &KeyPath, report: &mut Report<'_>) -> Option<&'v Table> {
    match value {
        Value::Table(table) => Some(table),
        other => {
            report.error(at, format!("expected a table, found {}", other.type_name()));
            None
        }
    }
}

fn without_bad_keys(table: &Table, error: &SettingsError) -> Table {
    let mut rest = table.clone();
    for problem in error.problems() {
        if let Some(Segment::Key(key)) = problem.path().segments().first() {
            rest.remove(key);
        }
    }
    rest
}
