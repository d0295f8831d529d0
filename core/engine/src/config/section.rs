//! The sections of a configuration as they are written. Every key may be missing here: what stands in for it is decided
//! where the plan is made.

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
    /// The keys that must be there.
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

/// What is published where, and how.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct DirectorySection {
    /// The symbolic link that readers use. A relative path counts from this file.
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
    /// User that directory and files belong to, by name or number. What is not named is neither set nor compared.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "values::principal")]
    pub(crate) owner: Option<Principal>,
    /// Group that directory and files belong to, by name or number. What is not named is neither set nor compared.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "values::principal")]
    pub(crate) group: Option<Principal>,
    /// At least how long a superseded generation stays for its last readers; "0s": it is gone at the flip.
    #[schemars(schema_with = "shapes::duration", extend("default" = shapes::text(Options::RETAIN)))]
    #[serde(deserialize_with = "values::duration")]
    pub(crate) retain: Option<Duration>,
    /// How a set survives a power cut: by one syncfs, by one fsync for each file, or not at all.
    #[schemars(schema_with = "shapes::durability", extend("default" = "filesystem"))]
    #[serde(deserialize_with = "values::durability")]
    pub(crate) durability: Option<Durability>,
    /// Whether a path is refused that anyone but root and the user who runs this could replace: "strict", or "trusted" for a
    /// volume that its users share, such as the emptyDir of a Kubernetes pod.
    #[schemars(schema_with = "shapes::parents", extend("default" = "strict"))]
    #[serde(deserialize_with = "values::parents")]
    pub(crate) parents: Option<Parents>,
}

impl Section for DirectorySection {
    const REQUIRED: &'static [&'static str] = &["path"];
}

/// When `secretdir watch` asks the sources.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct WatchSection {
    /// How often the sources are asked, at least 1s. A source may have a `refresh` of its own.
    #[schemars(schema_with = "shapes::some_duration", extend("default" = shapes::text(WATCH_INTERVAL)))]
    #[serde(deserialize_with = "values::interval")]
    pub(crate) interval: Option<Duration>,
    /// How far the turns of several hosts are spread: "interval", or a shorter time; "0s" switches it off.
    #[schemars(schema_with = "shapes::splay", extend("default" = "interval"))]
    #[serde(deserialize_with = "values::splay")]
    pub(crate) splay: Option<Splay>,
    /// How old the last success may be before status, metrics and log call the set stale. Nothing is ever deleted.
    #[schemars(schema_with = "shapes::some_duration")]
    #[serde(deserialize_with = "values::some_duration")]
    pub(crate) max_stale: Option<Duration>,
    /// Whether changes of local files cause a turn: the configuration, templates, and what the provider `file` reads.
    #[schemars(extend("default" = true))]
    pub(crate) wake: Option<bool>,
    /// How long to wait after such a change for more of them.
    #[schemars(schema_with = "shapes::duration", extend("default" = "500ms"))]
    #[serde(deserialize_with = "values::duration")]
    pub(crate) debounce: Option<Duration>,
}

impl Section for WatchSection {
    const REQUIRED: &'static [&'static str] = &[];
}

/// The limits of gathering.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct GatherSection {
    /// Deadline of the whole gathering, retries included.
    #[schemars(schema_with = "shapes::some_duration", extend("default" = shapes::text(GATHER_TIMEOUT)))]
    #[serde(deserialize_with = "values::some_duration")]
    pub(crate) timeout: Option<Duration>,
    /// Requests in flight for each source.
    #[schemars(extend("default" = CONCURRENCY))]
    pub(crate) concurrency: Option<NonZeroUsize>,
    /// How many bytes all secrets of a run may have together, and all files: they are held in memory.
    #[schemars(extend("default" = MAX_BYTES))]
    pub(crate) max_bytes: Option<NonZeroU64>,
}

impl Section for GatherSection {
    const REQUIRED: &'static [&'static str] = &[];
}

/// Reports the tables at the top that nobody knows.
pub(crate) fn check_top(table: &Table, report: &mut Report<'_>) {
    if let Err(error) = table.parse::<Top>() {
        report.settings(&KeyPath::default(), &error);
    }
}

/// Reads a section as far as it can be read: what is wrong is reported, and then missing from it.
pub(crate) fn read<S: Section>(table: &Table, at: &KeyPath, report: &mut Report<'_>) -> S {
    for key in S::REQUIRED.iter().filter(|key| !table.contains_key(key)) {
        report.error(&at.clone().key(*key), "missing");
    }
    table.parse().unwrap_or_else(|error| {
        report.settings(at, &error);
        without_bad_keys(table, &error).parse().unwrap_or_default()
    })
}

/// Reads a section that may be missing.
pub(crate) fn read_if_there<S: Section>(top: &Table, key: &str, report: &mut Report<'_>) -> Option<S> {
    let at = KeyPath::from(key);
    let table = as_table(top.get(key)?, &at, report)?;
    Some(read(table, &at, report))
}

/// Expects a table.
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
