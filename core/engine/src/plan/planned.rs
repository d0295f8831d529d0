//! The plan itself.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use atomicdir::{Durability, FileMap, FileName, LinkName, Parents};

use super::content::{IfAbsent, PlannedAttributes, PlannedFile};
use super::import::PlannedImport;
use super::location::Location;
use super::request::{PlannedSource, RequestId};
use super::selection::{Imported, Selection};
use crate::config::Config;
use crate::config::input::Input;
use crate::config::report::Mention;
use crate::problem::Problem;
use crate::report::WarningReport;

/// A configuration that has been checked: what to fetch, and what to publish where.
#[derive(Debug)]
pub struct Plan {
    pub(crate) config_file: PathBuf,
    /// The configuration, if it cannot be read again: it comes through a pipe, or is a text that a program has made.
    pub(crate) unrepeatable: Option<Config>,
    /// The absolute folder of that file; none if the configuration is no file, but comes through a pipe.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) profile: Option<String>,
    /// The files that it was made of.
    pub(crate) inputs: Vec<Input>,
    pub(crate) mentions: Vec<Mention>,
    pub(crate) link: PathBuf,
    /// The name of the link; there is always one.
    pub(crate) link_name: Option<LinkName>,
    pub(crate) directory: PlannedAttributes,
    pub(crate) retain: Duration,
    pub(crate) durability: Durability,
    pub(crate) parents: Parents,
    pub(crate) verify: Option<HookCommand>,
    pub(crate) on_change: Option<OnChange>,
    pub(crate) watch: WatchSettings,
    pub(crate) gather: GatherLimits,
    pub(crate) sources: Vec<PlannedSource>,
    pub(crate) files: FileMap<PlannedFile>,
    pub(crate) imports: Vec<PlannedImport>,
    pub(crate) warnings: Vec<Problem>,
}

/// A command of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HookCommand {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) timeout: Duration,
}

/// What happens after a change: at least one of the two.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OnChange {
    pub(crate) command: Option<HookCommand>,
    /// The file beside the link that is touched.
    pub(crate) stamp: Option<FileName>,
    /// The longest random wait before.
    pub(crate) splay: Duration,
}

/// When `watch` asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WatchSettings {
    /// Between two turns; none if no source causes any.
    pub(crate) interval: Option<Duration>,
    /// The interval over which hosts are spread.
    pub(crate) splay: Duration,
    /// How old the last success may be.
    pub(crate) max_stale: Option<Duration>,
    /// How long to wait after a change of a file for more of them; none: files are not watched.
    pub(crate) debounce: Option<Duration>,
}

/// How long gathering may take, and how much of it happens at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GatherLimits {
    pub(crate) timeout: Duration,
    pub(crate) concurrency: NonZeroUsize,
    /// How large all secrets, and all files, may be together.
    pub(crate) max_bytes: u64,
}

impl Plan {
    /// Returns where the set is published.
    pub(crate) fn location(&self) -> Location {
        Location { link: self.link.clone(), parents: self.parents }
    }

    /// Returns whether a file that the plan was made of has changed since.
    pub(crate) fn is_outdated(&self) -> bool {
        self.inputs.iter().any(Input::has_changed)
    }

    /// Says whether one of the files that the plan was made of was written to after a date. Nothing is known without one.
    pub(crate) fn has_changed_since(&self, date: Option<SystemTime>) -> bool {
        date.is_some_and(|date| self.inputs.iter().any(|input| input.is_newer_than(date)))
    }

    /// Returns the path of the configuration file.
    pub fn config_file(&self) -> &Path {
        &self.config_file
    }

    /// Returns the path of the link that readers use; relative to the current folder if the configuration file's is.
    pub fn link(&self) -> &Path {
        &self.link
    }

    /// Returns how many files `[files]` has.
    pub fn file_count(&self) -> usize {
        self.files.len()
    }

    /// Returns how many imports there are. What they come to, only their sources know.
    pub fn import_count(&self) -> usize {
        self.imports.len()
    }

    /// Returns how many distinct secrets are to be fetched, besides those that are yet to be listed.
    pub fn secret_count(&self) -> usize {
        self.sources.iter().map(|source| source.requests.len()).sum()
    }

    /// Returns the requests that make something each time.
    pub(crate) fn issuing(&self) -> impl Iterator<Item = RequestId> {
        let sources = self.sources.iter().enumerate();
        sources.flat_map(|(source, planned)| {
            planned.issuing.iter().map(move |request| RequestId { source, request: *request })
        })
    }

    /// Says whether a request makes something each time.
    pub(crate) fn issues(&self, id: RequestId) -> bool {
        self.sources.get(id.source).is_some_and(|source| source.issuing.contains(&id.request))
    }

    /// Returns the names of the sources, in order.
    pub fn source_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.sources.iter().map(|source| source.name.as_str())
    }

    /// Returns what imports and templates take of whole sources, or of whole secrets.
    pub(crate) fn selections(&self) -> impl Iterator<Item = &Selection> {
        let imports = self.imports.iter().map(|import| &import.selection);
        imports.chain(self.template_selections())
    }

    /// Returns what templates take of whole sources.
    pub(crate) fn template_selections(&self) -> impl Iterator<Item = &Selection> {
        self.files.iter().flat_map(|(_, file)| file.content.selections())
    }

    /// Returns what imports take of the keys of a secret.
    pub(crate) fn keys_of(&self, id: RequestId) -> impl Iterator<Item = &Selection> {
        let imports = self.imports.iter().map(|import| &import.selection);
        imports.filter(move |selection| selection.what == Imported::Keys(id))
    }

    /// Says whether a file may be one that an import of the keys of a secret makes.
    pub(crate) fn may_import(&self, id: RequestId, file: &str) -> bool {
        let is_free = self.files.get(file).is_none();
        is_free && self.keys_of(id).any(|selection| selection.naming.name_of(file).is_some())
    }

    /// Returns the prefixes that imports and templates have of a source.
    pub(crate) fn prefixes(&self, source: usize) -> impl Iterator<Item = &str> {
        self.selections().filter_map(move |selection| match &selection.what {
            Imported::Below { source: of, prefix } if *of == source => Some(prefix.as_str()),
            _ => None,
        })
    }

    /// Says of each request of a source whether all that is made of it can do without the secret.
    pub(crate) fn dispensable(&self, source: usize) -> Vec<bool> {
        let requests = self.sources.get(source).map_or(0, |source| source.requests.len());
        let mut dispensable = vec![true; requests];
        let files = self.files.iter().flat_map(|(_, file)| file.content.uses());
        let files = files.filter(|content| content.if_absent == IfAbsent::Fail).map(|content| content.id);
        let imports = self.imports.iter().filter_map(|import| match import.selection.what {
            Imported::Keys(id) => Some(id),
            Imported::Below { .. } => None,
        });
        for id in files.chain(imports).filter(|id| id.source == source) {
            if let Some(request) = dispensable.get_mut(id.request) {
                *request = false;
            }
        }
        dispensable
    }

    /// Returns what is worth a look although the plan holds, sorted by line.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Returns what is told of each warning.
    pub fn warning_reports(&self) -> Vec<WarningReport> {
        self.warnings.iter().map(WarningReport::from).collect()
    }
}
