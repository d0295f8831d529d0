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
use super::words::{Expand, Splay};
use super::{shapes, words};
use crate::transform::Trim;
use secretdir_helpers::coding::Coding;

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
    #[serde(deserialize_with = "words::mode")]
    pub(crate) mode: Option<Mode>,
    /// Mode of each file.
    #[schemars(schema_with = "shapes::mode", extend("default" = Mode::OWNER_READS.to_string()))]
    #[serde(deserialize_with = "words::mode")]
    pub(crate) file_mode: Option<Mode>,
    /// User that directory and files belong to, by name or number. What is not named is neither set nor compared.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "words::principal")]
    pub(crate) owner: Option<Principal>,
    /// Group that directory and files belong to, by name or number. What is not named is neither set nor compared.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "words::principal")]
    pub(crate) group: Option<Principal>,
    /// At least how long a superseded generation stays for its last readers; "0s": it is gone at the flip.
    #[schemars(schema_with = "shapes::duration", extend("default" = shapes::text(Options::RETAIN)))]
    #[serde(deserialize_with = "words::duration")]
    pub(crate) retain: Option<Duration>,
    /// How a set survives a power cut: by one syncfs, by one fsync for each file, or not at all.
    #[schemars(schema_with = "shapes::durability", extend("default" = "filesystem"))]
    #[serde(deserialize_with = "words::durability")]
    pub(crate) durability: Option<Durability>,
    /// Whether a path is refused that anyone but root and the user who runs this could replace: "strict", or "trusted" for a
    /// volume that its users share, such as the emptyDir of a Kubernetes pod.
    #[schemars(schema_with = "shapes::parents", extend("default" = "strict"))]
    #[serde(deserialize_with = "words::parents")]
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
    #[serde(deserialize_with = "words::interval")]
    pub(crate) interval: Option<Duration>,
    /// How far the turns of several hosts are spread: "interval", or a shorter time; "0s" switches it off.
    #[schemars(schema_with = "shapes::splay", extend("default" = "interval"))]
    #[serde(deserialize_with = "words::splay")]
    pub(crate) splay: Option<Splay>,
    /// How old the last success may be before status, metrics and log call the set stale. Nothing is ever deleted.
    #[schemars(schema_with = "shapes::some_duration")]
    #[serde(deserialize_with = "words::some_duration")]
    pub(crate) max_stale: Option<Duration>,
    /// Whether changes of local files cause a turn: the configuration, templates, and what the provider `file` reads.
    #[schemars(extend("default" = true))]
    pub(crate) wake: Option<bool>,
    /// How long to wait after such a change for more of them.
    #[schemars(schema_with = "shapes::duration", extend("default" = "500ms"))]
    #[serde(deserialize_with = "words::duration")]
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
    #[serde(deserialize_with = "words::some_duration")]
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

/// A secret, or a template with several, and how it becomes a file.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct FileSection {
    /// The source that is asked: a name under `sources`.
    pub(crate) source: Option<String>,
    /// The name of the secret in that source.
    pub(crate) secret: Option<String>,
    /// The version of the secret, as the provider understands it; without it the current one.
    pub(crate) version: Option<String>,
    /// A part of a JSON secret: a top-level key, or a JSON pointer if it begins with `/`. Without it the exact bytes.
    pub(crate) field: Option<String>,
    /// What is taken off the value first: "newline" takes off one line end, if there is one.
    #[schemars(schema_with = "shapes::trim")]
    #[serde(deserialize_with = "words::trim")]
    pub(crate) trim: Option<Trim>,
    /// The value is text in this coding, and the file gets the bytes. What is not in it is an error.
    #[schemars(schema_with = "shapes::coding")]
    #[serde(deserialize_with = "words::coding")]
    pub(crate) decode: Option<Coding>,
    /// The file gets the bytes as text in this coding.
    #[schemars(schema_with = "shapes::coding")]
    #[serde(deserialize_with = "words::coding")]
    pub(crate) encode: Option<Coding>,
    /// Whether the file is left out, and the outcome says so, if the secret or its field is not found.
    #[schemars(extend("default" = false))]
    pub(crate) optional: Option<bool>,
    /// What the file gets, exactly, if the secret or its field is not found. Not for what is secret.
    pub(crate) default: Option<String>,
    /// A template that the file is rendered from, instead of `source` and `secret`: its path, which counts from this file.
    #[schemars(length(min = 1))]
    pub(crate) template: Option<String>,
    /// The text of such a template itself.
    pub(crate) template_text: Option<String>,
    /// The secrets that the template uses, by the names that it has for them. Only for a file that is rendered.
    #[schemars(skip)]
    pub(crate) secrets: Option<IgnoredAny>,
    /// Mode of this file, instead of `file-mode`.
    #[schemars(schema_with = "shapes::mode")]
    #[serde(deserialize_with = "words::mode")]
    pub(crate) mode: Option<Mode>,
    /// User that this file belongs to, instead of `owner` of the directory.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "words::principal")]
    pub(crate) owner: Option<Principal>,
    /// Group that this file belongs to, instead of `group` of the directory.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "words::principal")]
    pub(crate) group: Option<Principal>,
}

impl FileSection {
    /// The keys that a file must have that is made of one secret.
    pub(crate) const REQUIRED_OF_A_SECRET: [&'static str; 2] = ["source", "secret"];

    /// The keys that only such a file may have.
    pub(crate) const OF_A_SECRET: [&'static str; 9] =
        ["source", "secret", "version", "field", "trim", "decode", "encode", "optional", "default"];

    /// The keys of which a file has one that is rendered.
    pub(crate) const OF_A_TEMPLATE: [&'static str; 2] = ["template", "template-text"];

    /// The secrets of a template.
    pub(crate) const SECRETS: &'static str = "secrets";
}

impl Section for FileSection {
    /// That depends on what it is made of.
    const REQUIRED: &'static [&'static str] = &[];
}

/// What a template uses under one name: a secret, or all secrets whose names begin with a prefix.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct TemplateSecretSection {
    /// The source that is asked: a name under `sources`.
    pub(crate) source: Option<String>,
    /// The name of the secret in that source.
    pub(crate) secret: Option<String>,
    /// The version of the secret, as the provider understands it; without it the current one.
    pub(crate) version: Option<String>,
    /// A part of a JSON secret: a top-level key, or a JSON pointer if it begins with `/`. Without it the exact bytes.
    pub(crate) field: Option<String>,
    /// What is taken off the value first: "newline" takes off one line end, if there is one.
    #[schemars(schema_with = "shapes::trim")]
    #[serde(deserialize_with = "words::trim")]
    pub(crate) trim: Option<Trim>,
    /// The value is text in this coding, and the template gets the bytes. Anything else is an error.
    #[schemars(schema_with = "shapes::coding")]
    #[serde(deserialize_with = "words::coding")]
    pub(crate) decode: Option<Coding>,
    /// Whether the name is undefined if the secret or its field is not found.
    #[schemars(extend("default" = false))]
    pub(crate) optional: Option<bool>,
    /// What the name stands for if the secret or its field is not found. Not for what is secret.
    pub(crate) default: Option<String>,
    /// What the value becomes: "json" makes it a value with parts. Without it, it is a text.
    #[schemars(schema_with = "shapes::expand")]
    #[serde(deserialize_with = "words::expand")]
    pub(crate) expand: Option<Expand>,
    /// What the names of the secrets begin with that become a map of names and texts. Instead of `secret`.
    pub(crate) prefix: Option<String>,
    /// What is taken off the beginning of each name. All must have it.
    pub(crate) strip_prefix: Option<String>,
    /// Patterns, one of which a name must match, after `strip-prefix`: `*` is any text without `/`, `**` any directories.
    #[schemars(length(min = 1))]
    pub(crate) include: Option<Vec<String>>,
    /// Patterns, none of which a name may match: what does is left out.
    #[schemars(length(min = 1))]
    pub(crate) exclude: Option<Vec<String>>,
    /// Whether it is no error if nothing is found.
    #[schemars(extend("default" = false))]
    pub(crate) allow_empty: Option<bool>,
}

impl TemplateSecretSection {
    /// The keys that only one secret has.
    pub(crate) const OF_A_SECRET: [&'static str; 6] =
        ["version", "field", "optional", "default", "expand", "secret"];

    /// The keys that only a prefix has.
    pub(crate) const OF_A_PREFIX: [&'static str; 5] =
        ["strip-prefix", "include", "exclude", "allow-empty", "prefix"];
}

impl Section for TemplateSecretSection {
    const REQUIRED: &'static [&'static str] = &["source"];
}

/// Many files at once: one for each key of a JSON secret, or one for each secret below a prefix.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct ImportSection {
    /// The source that is asked: a name under `sources`.
    pub(crate) source: Option<String>,
    /// The name of the secret that is expanded.
    pub(crate) secret: Option<String>,
    /// The version of that secret, as the provider understands it; without it the current one.
    pub(crate) version: Option<String>,
    /// How the secret becomes many files: "json" makes one of each top-level key.
    #[schemars(schema_with = "shapes::expand")]
    #[serde(deserialize_with = "words::expand")]
    pub(crate) expand: Option<Expand>,
    /// What the names of the secrets begin with that become files, each under its own name. Instead of `secret`.
    pub(crate) prefix: Option<String>,
    /// The directory that the files are in, below that which is published; without it that one itself.
    #[schemars(length(min = 1))]
    pub(crate) into: Option<String>,
    /// What is taken off the beginning of each name. All must have it.
    pub(crate) strip_prefix: Option<String>,
    /// Patterns, one of which a name must match, after `strip-prefix`: `*` is any text without `/`, `**` any directories.
    #[schemars(length(min = 1))]
    pub(crate) include: Option<Vec<String>>,
    /// Patterns, none of which a name may match: what does is left out.
    #[schemars(length(min = 1))]
    pub(crate) exclude: Option<Vec<String>>,
    /// Whether it is no error if nothing is found.
    #[schemars(extend("default" = false))]
    pub(crate) allow_empty: Option<bool>,
    /// What is taken off each value first: "newline" takes off one line end, if there is one.
    #[schemars(schema_with = "shapes::trim")]
    #[serde(deserialize_with = "words::trim")]
    pub(crate) trim: Option<Trim>,
    /// Each value is text in this coding, and the file gets the bytes. What is not in it is an error.
    #[schemars(schema_with = "shapes::coding")]
    #[serde(deserialize_with = "words::coding")]
    pub(crate) decode: Option<Coding>,
    /// Each file gets the bytes as text in this coding.
    #[schemars(schema_with = "shapes::coding")]
    #[serde(deserialize_with = "words::coding")]
    pub(crate) encode: Option<Coding>,
    /// Mode of these files, instead of `file-mode`.
    #[schemars(schema_with = "shapes::mode")]
    #[serde(deserialize_with = "words::mode")]
    pub(crate) mode: Option<Mode>,
    /// User that these files belong to, instead of `owner` of the directory.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "words::principal")]
    pub(crate) owner: Option<Principal>,
    /// Group that these files belong to, instead of `group` of the directory.
    #[schemars(schema_with = "shapes::principal")]
    #[serde(deserialize_with = "words::principal")]
    pub(crate) group: Option<Principal>,
}

impl Section for ImportSection {
    const REQUIRED: &'static [&'static str] = &["source"];
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
