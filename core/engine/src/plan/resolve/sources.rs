//! `[sources]`: each source, built by its provider, and the requests to it.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use secretdir_provider::{KeyPath, Provider, SecretRequest, SecretSource, SourceError, Table, Value};

use crate::catch_panic;
use crate::config::Config;
use crate::config::report::Report;
use crate::config::section;
use crate::config::values::Refresh;
use crate::plan::fingerprint;
use crate::plan::request::PlannedSource;
use crate::registry::Registry;
use crate::registry::known;

/// The sources of a configuration.
#[derive(Default)]
pub(super) struct Sources {
    planned: Vec<PlannedSource>,
    names: Names,
    /// The position of each request in its source.
    requests: HashMap<(usize, SecretRequest), usize>,
    /// The sources that must list secrets.
    listed: BTreeSet<usize>,
}

/// The names that an entry can use for its source.
enum Names {
    /// Each name of `[sources]`.
    Known(BTreeMap<String, Found>),
    /// `[sources]` is not a table, so its names are unknown.
    Unreadable,
}

/// The result of looking up the name of a source.
#[derive(Clone, Copy)]
pub(super) enum Found {
    /// A source of the plan, by its position.
    Source(usize),
    /// An invalid source, which has been reported.
    Broken,
}

impl Default for Names {
    fn default() -> Self {
        Self::Known(BTreeMap::new())
    }
}

impl Sources {
    /// Builds every source.
    pub(super) fn resolve(config: &Config, registry: &Registry, report: &mut Report<'_>) -> Self {
        let at = KeyPath::from("sources");
        let Some(value) = config.table.get("sources") else { return Self::default() };
        let Some(table) = section::as_table(value, &at, report) else {
            return Self { names: Names::Unreadable, ..Self::default() };
        };
        let mut builder = Builder { registry, config, report };
        let mut planned = Vec::new();
        let mut names = BTreeMap::new();
        for (name, value) in table {
            let source = builder.source(name, value);
            let found = if source.is_some() { Found::Source(planned.len()) } else { Found::Broken };
            planned.extend(source);
            names.insert(name.to_owned(), found);
        }
        Self { planned, names: Names::Known(names), ..Self::default() }
    }

    /// Looks up a name. If there is no such source, the error lists the sources that exist.
    pub(super) fn find(&self, name: &str) -> Result<Found, String> {
        match &self.names {
            Names::Unreadable => Ok(Found::Broken),
            Names::Known(names) => names.get(name).copied().ok_or_else(|| {
                let known = known(name, names.keys().map(String::as_str));
                format!("there is no source `{name}`{known}")
            }),
        }
    }

    /// Reserves capacity for this many requests.
    pub(super) fn reserve(&mut self, count: usize) {
        self.requests.reserve(count);
    }

    /// Adds a request to a source, if it is new, and lets the source check it. Returns the position of the request.
    pub(super) fn request(&mut self, source: usize, request: SecretRequest) -> Result<usize, SourceError> {
        let Some(planned) = self.planned.get_mut(source) else { return Ok(0) };
        let new = match self.requests.entry((source, request)) {
            Entry::Occupied(known) => return Ok(*known.get()),
            Entry::Vacant(new) => new,
        };
        let (position, (_, request)) = (planned.requests.len(), new.key());
        let checked = catch_panic::call(planned.provider, || planned.source.check(request));
        planned.requests.push(request.clone());
        if catch_panic::call(planned.provider, || planned.source.issues(request)).unwrap_or(false) {
            planned.issuing.insert(position);
        }
        new.insert(position);
        checked.unwrap_or_else(|panicked| Err(panicked.into())).map(|()| position)
    }

    /// Marks a source as one that must list a prefix, and lets the source check the prefix.
    pub(super) fn list(&mut self, source: usize, prefix: &str) -> Result<(), SourceError> {
        self.listed.insert(source);
        let Some(planned) = self.planned.get(source) else { return Ok(()) };
        let checked = catch_panic::call(planned.provider, || planned.source.check_prefix(prefix));
        checked.unwrap_or_else(|panicked| Err(panicked.into()))
    }

    /// Returns the sources that could be built.
    pub(super) fn planned(&self) -> &[PlannedSource] {
        &self.planned
    }

    /// Returns the sources, and warns about each that is not used.
    pub(super) fn finish(self, report: &mut Report<'_>) -> Vec<PlannedSource> {
        let sources = self.planned.iter().enumerate();
        let unused =
            sources.filter(|(number, source)| source.requests.is_empty() && !self.listed.contains(number));
        for (_, unused) in unused {
            report.warn(&KeyPath::from(["sources", &unused.name]), "no file and no import uses this source");
        }
        self.planned
    }
}

/// Builds sources.
struct Builder<'a, 'c> {
    registry: &'a Registry,
    config: &'a Config,
    report: &'a mut Report<'c>,
}

impl<'a> Builder<'a, '_> {
    fn source(&mut self, name: &str, value: &Value) -> Option<PlannedSource> {
        let at = KeyPath::from(["sources", name]);
        let named = self.check_name(name, &at);
        let mut settings = section::as_table(value, &at, self.report)?.clone();
        let refresh = self.refresh(settings.remove("refresh").as_ref(), &at);
        let provider = self.provider(settings.remove("provider").as_ref(), &at)?;
        let fingerprint = fingerprint::of_settings(&settings);
        let source = self.build(provider, settings, &at)?;
        named?;
        let (name, provider) = (name.to_owned(), provider.name());
        let (requests, issuing) = (Vec::new(), BTreeSet::new());
        Some(PlannedSource { name, provider, source, requests, issuing, fingerprint, refresh })
    }

    fn refresh(&mut self, value: Option<&Value>, at: &KeyPath) -> Option<Refresh> {
        let read = Refresh::parse(value?);
        read.map_err(|message| self.report.error(&at.clone().key("refresh"), message)).ok()
    }

    /// Validates the name of a source: it must be one that needs no quotes in TOML.
    fn check_name(&mut self, name: &str, at: &KeyPath) -> Option<()> {
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !name.is_empty() && name.chars().all(bare) {
            return Some(());
        }
        self.report.error(at, "the name of a source has only letters (a to z, A to Z), digits, `-` and `_`");
        None
    }

    fn provider(&mut self, value: Option<&Value>, at: &KeyPath) -> Option<&'a dyn Provider> {
        let message = match value {
            Some(Value::String(word)) => match self.registry.find(word) {
                Ok(provider) => return Some(provider),
                Err(unknown) => unknown.to_string(),
            },
            Some(other) => format!("expected a string, found {}", other.type_name()),
            None => format!("missing{}", known("", self.registry.names())),
        };
        self.report.error(&at.clone().key("provider"), message);
        None
    }

    fn build(
        &mut self,
        provider: &dyn Provider,
        settings: Table,
        at: &KeyPath,
    ) -> Option<Box<dyn SecretSource>> {
        let settings = self.config.settings(settings);
        match catch_panic::call(provider.name(), || provider.source(settings)) {
            Ok(Ok(source)) => Some(source),
            Ok(Err(error)) => {
                self.report.settings(at, &error);
                None
            }
            Err(panicked) => {
                self.report.error(&at.clone().key("provider"), panicked.to_string());
                None
            }
        }
    }
}
