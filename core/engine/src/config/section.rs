//! The sections of a configuration as they are written. Every key may be missing here: what stands in for it is decided
//! where the plan is made.

use std::num::NonZeroUsize;
use std::time::Duration;

use atomicdir::{Durability, Mode};
use secretdir_provider::{KeyPath, Segment, Settings, SettingsError, Table, Value};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::report::Report;
use super::words;
use crate::plan::Principal;

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
    on_change: Option<IgnoredAny>,
    gather: Option<IgnoredAny>,
    sources: Option<IgnoredAny>,
    files: Option<IgnoredAny>,
}

/// `[directory]`
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct DirectorySection {
    pub(crate) path: Option<String>,
    #[serde(deserialize_with = "words::mode")]
    pub(crate) mode: Option<Mode>,
    #[serde(deserialize_with = "words::mode")]
    pub(crate) file_mode: Option<Mode>,
    #[serde(deserialize_with = "words::principal")]
    pub(crate) owner: Option<Principal>,
    #[serde(deserialize_with = "words::principal")]
    pub(crate) group: Option<Principal>,
    #[serde(deserialize_with = "words::duration")]
    pub(crate) retain: Option<Duration>,
    #[serde(deserialize_with = "words::durability")]
    pub(crate) durability: Option<Durability>,
}

impl Section for DirectorySection {
    const REQUIRED: &'static [&'static str] = &["path"];
}

/// `[on-change]`
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct OnChangeSection {
    pub(crate) command: Option<Vec<String>>,
    #[serde(deserialize_with = "words::some_duration")]
    pub(crate) timeout: Option<Duration>,
}

impl Section for OnChangeSection {
    const REQUIRED: &'static [&'static str] = &["command"];
}

/// `[gather]`
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct GatherSection {
    #[serde(deserialize_with = "words::some_duration")]
    pub(crate) timeout: Option<Duration>,
    pub(crate) concurrency: Option<NonZeroUsize>,
}

impl Section for GatherSection {
    const REQUIRED: &'static [&'static str] = &[];
}

/// One line of `[files]`
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct FileSection {
    pub(crate) source: Option<String>,
    pub(crate) secret: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) field: Option<String>,
    #[serde(deserialize_with = "words::mode")]
    pub(crate) mode: Option<Mode>,
    #[serde(deserialize_with = "words::principal")]
    pub(crate) owner: Option<Principal>,
    #[serde(deserialize_with = "words::principal")]
    pub(crate) group: Option<Principal>,
}

impl Section for FileSection {
    const REQUIRED: &'static [&'static str] = &["source", "secret"];
}

/// Reports the tables at the top that nobody knows.
pub(crate) fn check_top(table: &Table, report: &mut Report<'_>) {
    if let Err(error) = parse::<Top>(table.clone()) {
        report.settings(&KeyPath::default(), &error);
    }
}

/// Reads a section as far as it can be read: what is wrong is reported, and then missing from it.
pub(crate) fn read<S: Section>(table: &Table, at: &KeyPath, report: &mut Report<'_>) -> S {
    for key in S::REQUIRED.iter().filter(|key| !table.contains_key(**key)) {
        report.error(&at.join(&KeyPath::of([*key])), "missing");
    }
    parse(table.clone()).unwrap_or_else(|error| {
        report.settings(at, &error);
        parse(without_bad_keys(table, &error)).unwrap_or_default()
    })
}

/// Reads a section that may be missing.
pub(crate) fn read_if_there<S: Section>(top: &Table, key: &str, report: &mut Report<'_>) -> Option<S> {
    let at = KeyPath::of([key]);
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

fn parse<T: DeserializeOwned>(table: Table) -> Result<T, SettingsError> {
    Settings::new(table, "").parse()
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
