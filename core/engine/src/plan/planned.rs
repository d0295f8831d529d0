//! The type of the plan.

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

/// A validated configuration: which secrets to fetch, and what to publish where.
#[derive(Debug)]
pub struct Plan {
    pub(crate) config_file: PathBuf,
    /// The configuration, if it cannot be read again because it comes through a pipe or from the text of a program.
    pub(crate) unrepeatable: Option<Config>,
    /// The absolute folder of that file. None if the configuration comes through a pipe.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) profile: Option<String>,
    /// The files that the plan was made of.
    pub(crate) inputs: Vec<Input>,
    pub(crate) mentions: Vec<Mention>,
    pub(crate) link: PathBuf,
    /// The name of the link. A finished plan always has one.
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

/// The actions after a change: a command, a stamp, or both.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OnChange {
    pub(crate) command: Option<HookCommand>,
    /// The file to touch beside the link.
    pub(crate) stamp: Option<FileName>,
    /// The maximum random delay before them.
    pub(crate) splay: Duration,
}

/// The schedule of `watch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WatchSettings {
    /// The interval between two turns. None if no source causes any.
    pub(crate) interval: Option<Duration>,
    /// The time over which hosts are spread.
    pub(crate) splay: Duration,
    /// The maximum age of the last success.
    pub(crate) max_stale: Option<Duration>,
    /// How long to wait for more changes after a file has changed. None if files are not watched.
    pub(crate) debounce: Option<Duration>,
}

/// The limits of gathering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GatherLimits {
    pub(crate) timeout: Duration,
    pub(crate) concurrency: NonZeroUsize,
    /// The maximum size in bytes of all secrets together, and of all files together.
    pub(crate) max_bytes: u64,
}

impl Plan {
    /// Returns the location of the published set.
    pub(crate) fn location(&self) -> Location {
        Location { link: self.link.clone(), parents: self.parents }
    }

    /// Returns whether a file that the plan was made of has changed since.
    pub(crate) fn is_outdated(&self) -> bool {
        self.inputs.iter().any(Input::has_changed)
    }

    /// Returns whether a file that the plan was made of was modified after a date. Without a date, returns false.
    pub(crate) fn has_changed_since(&self, date: Option<SystemTime>) -> bool {
        date.is_some_and(|date| self.inputs.iter().any(|input| input.is_newer_than(date)))
    }

    /// Returns the path of the configuration file.
    pub fn config_file(&self) -> &Path {
        &self.config_file
    }

    /// Returns the path of the link that readers use. It is relative to the current folder if the path of the configuration
    /// file is.
    pub fn link(&self) -> &Path {
        &self.link
    }

    /// Returns the number of files in `[files]`.
    pub fn file_count(&self) -> usize {
        self.files.len()
    }

    /// Returns the number of imports. Only their sources know how many files they make.
    pub fn import_count(&self) -> usize {
        self.imports.len()
    }

    /// Returns the number of distinct secrets to fetch, without those that must be listed first.
    pub fn secret_count(&self) -> usize {
        self.sources.iter().map(|source| source.requests.len()).sum()
    }

    /// Returns the requests that issue something.
    pub(crate) fn issuing(&self) -> impl Iterator<Item = RequestId> {
        let sources = self.sources.iter().enumerate();
        sources.flat_map(|(source, planned)| {
            planned.issuing.iter().map(move |request| RequestId { source, request: *request })
        })
    }

    /// Returns whether a request issues something.
    pub(crate) fn issues(&self, id: RequestId) -> bool {
        self.sources.get(id.source).is_some_and(|source| source.issuing.contains(&id.request))
    }

    /// Returns the names of the sources, in order.
    pub fn source_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.sources.iter().map(|source| source.name.as_str())
    }

    /// Returns the prefixes and expanded secrets of all imports and templates.
    pub(crate) fn selections(&self) -> impl Iterator<Item = &Selection> {
        let imports = self.imports.iter().map(|import| &import.selection);
        imports.chain(self.template_selections())
    }

    /// Returns the prefixes that templates use.
    pub(crate) fn template_selections(&self) -> impl Iterator<Item = &Selection> {
        self.files.iter().flat_map(|(_, file)| file.content.selections())
    }

    /// Returns the imports of the keys of a secret.
    pub(crate) fn keys_of(&self, id: RequestId) -> impl Iterator<Item = &Selection> {
        let imports = self.imports.iter().map(|import| &import.selection);
        imports.filter(move |selection| selection.what == Imported::Keys(id))
    }

    /// Returns whether an import of the keys of a secret may make this file.
    pub(crate) fn may_import(&self, id: RequestId, file: &str) -> bool {
        let is_free = self.files.get(file).is_none();
        is_free && self.keys_of(id).any(|selection| selection.naming.name_of(file).is_some())
    }

    /// Returns the prefixes of a source that imports and templates use.
    pub(crate) fn prefixes(&self, source: usize) -> impl Iterator<Item = &str> {
        self.selections().filter_map(move |selection| match &selection.what {
            Imported::Below { source: of, prefix } if *of == source => Some(prefix.as_str()),
            _ => None,
        })
    }

    /// Returns for each request of a source whether no file requires its secret.
    pub(crate) fn optional_requests(&self, source: usize) -> Vec<bool> {
        let requests = self.sources.get(source).map_or(0, |source| source.requests.len());
        let mut optional_requests = vec![true; requests];
        let files = self.files.iter().flat_map(|(_, file)| file.content.uses());
        let files = files.filter(|content| content.if_absent == IfAbsent::Fail).map(|content| content.id);
        let imports = self.imports.iter().filter_map(|import| match import.selection.what {
            Imported::Keys(id) => Some(id),
            Imported::Below { .. } => None,
        });
        for id in files.chain(imports).filter(|id| id.source == source) {
            if let Some(request) = optional_requests.get_mut(id.request) {
                *request = false;
            }
        }
        optional_requests
    }

    /// Returns the warnings about the configuration, sorted by line.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Returns a report for each warning.
    pub fn warning_reports(&self) -> Vec<WarningReport> {
        self.warnings.iter().map(WarningReport::from).collect()
    }
}
