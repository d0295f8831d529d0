//! The plan: what a configuration asks for, checked as far as that can be done without looking anywhere.
//!
//! [`Config::resolve`](crate::Config::resolve) makes it. Nothing is read but the templates, which are a part of the configuration,
//! and nothing is fetched: an owner's name is a name still, and a source has only been built. Everything else that a configuration can get wrong has been found, so
//! whoever holds a plan need not look at the configuration again.

mod advice;
mod directory;
mod entry;
mod files;
mod imports;
pub(crate) mod names;
mod owner;
mod resolve;
mod sources;
mod templates;
#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use atomicdir::{Durability, FileMap, LinkName, Parents};
use secretdir_provider::{SecretRequest, SecretSource};

use crate::config::input::Input;
use crate::config::report::Mention;
use crate::problem::{ConfigError, Problem};
use crate::report::WarningReport;
use crate::treatment::Treatment;
use crate::{Config, Field, Registry};

pub(crate) use imports::{Expand, IfNone, Imported, PlannedImport};
pub(crate) use owner::{OwnerSpec, PlannedAttributes, Principal};
pub use resolve::Location;
pub(crate) use resolve::{CONCURRENCY, GATHER_TIMEOUT, MAX_BYTES, ON_CHANGE_TIMEOUT};
pub(crate) use templates::PlannedTemplate;

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
    pub(crate) on_change: Option<OnChange>,
    pub(crate) gather: GatherLimits,
    pub(crate) sources: Vec<PlannedSource>,
    pub(crate) files: FileMap<PlannedFile>,
    pub(crate) imports: Vec<PlannedImport>,
    pub(crate) warnings: Vec<Problem>,
}

/// The command that runs after a change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OnChange {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) timeout: Duration,
}

/// How long gathering may take, and how much of it happens at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GatherLimits {
    pub(crate) timeout: Duration,
    pub(crate) concurrency: NonZeroUsize,
    /// How large all secrets, and all files, may be together.
    pub(crate) max_bytes: u64,
}

/// A source, and what is asked of it: each request once, in the order of the files that use it first.
#[derive(Debug)]
pub(crate) struct PlannedSource {
    pub(crate) name: String,
    pub(crate) provider: &'static str,
    pub(crate) source: Box<dyn SecretSource>,
    pub(crate) requests: Vec<SecretRequest>,
}

/// Where in the plan a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RequestId {
    /// The position of its source.
    pub(crate) source: usize,
    /// Its position in the source.
    pub(crate) request: usize,
}

/// How a file is made.
#[derive(Clone, Debug)]
pub(crate) struct PlannedFile {
    pub(crate) content: Content,
    pub(crate) attributes: PlannedAttributes,
}

/// What a file is made of.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Secret(SecretUse),
    Template(Arc<PlannedTemplate>),
}

impl Content {
    /// Returns each use of a secret.
    pub(crate) fn uses(&self) -> &[SecretUse] {
        match self {
            Self::Secret(only) => std::slice::from_ref(only),
            Self::Template(template) => &template.uses,
        }
    }

    /// Returns each request that it is made of, once.
    pub(crate) fn requests(&self) -> Vec<RequestId> {
        let mut ids = Vec::new();
        for used in self.uses() {
            if !ids.contains(&used.id) {
                ids.push(used.id);
            }
        }
        ids
    }

    /// Says where in a template the first such use of a secret is; `None` if this is no template.
    pub(crate) fn place_of(&self, is_it: impl Fn(&SecretUse) -> bool) -> Option<String> {
        let Self::Template(planned) = self else { return None };
        let mut calls = planned.uses.iter().zip(planned.template.calls());
        calls.find(|(used, _)| is_it(used)).map(|(_, call)| planned.at(call.place))
    }
}

/// A secret, and what is made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretUse {
    pub(crate) id: RequestId,
    pub(crate) field: Option<Field>,
    pub(crate) treatment: Treatment,
    pub(crate) if_absent: IfAbsent,
}

/// What becomes of a file whose secret, or whose field of it, is not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IfAbsent {
    /// The run fails.
    Fail,
    /// There is no such file.
    LeaveOut,
    /// It has this content.
    Default(String),
}

impl Plan {
    /// Reads a configuration and makes a plan of it, with a profile if one is named.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it; see [`Config::read`], [`Config::with_profile`] and [`Config::resolve`].
    pub fn read(path: &Path, profile: Option<&str>, registry: &Registry) -> Result<Self, ConfigError> {
        let config = Config::read(path)?;
        match profile {
            Some(profile) => config.with_profile(profile)?.resolve(registry),
            None => config.resolve(registry),
        }
    }

    /// Returns where the set is published.
    pub(crate) fn location(&self) -> Location {
        Location { link: self.link.clone(), parents: self.parents }
    }

    /// Returns whether a file that the plan was made of has changed since.
    pub(crate) fn is_outdated(&self) -> bool {
        self.inputs.iter().any(Input::has_changed)
    }

    /// Makes the plan anew, of what the files say now.
    pub(crate) fn renewed(&self, registry: &Registry) -> Result<Self, ConfigError> {
        match &self.unrepeatable {
            Some(config) => config.clone().resolve(registry),
            None => Self::read(&self.config_file, self.profile.as_deref(), registry),
        }
    }

    /// Returns the path of the configuration file.
    pub fn config_file(&self) -> &Path {
        &self.config_file
    }

    /// Returns the path of the link that readers use; relative to the current folder if the configuration file's is.
    pub fn link(&self) -> &Path {
        &self.link
    }

    /// Returns the names of the files of `[files]`, in order.
    pub fn file_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.files.iter().map(|(name, _)| name.as_str())
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

    /// Returns the names of the sources, in order.
    pub fn source_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.sources.iter().map(|source| source.name.as_str())
    }

    /// Returns the name of each source and of its provider, in the order of the sources' names.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = (&str, &'static str)> {
        self.sources.iter().map(|source| (source.name.as_str(), source.provider))
    }

    /// Returns the prefixes that imports have of a source.
    pub(crate) fn prefixes(&self, source: usize) -> impl Iterator<Item = &str> {
        self.imports.iter().filter_map(move |import| match &import.what {
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
        let imports = self.imports.iter().filter_map(|import| match import.what {
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
