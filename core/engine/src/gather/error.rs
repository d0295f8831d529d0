//! Why a set could not be gathered: every failure, each with the files that it keeps from being written.

use std::error::Error;
use std::fmt;

use secretdir_provider::{SecretRequest, SourceError, SourceErrorKind};

use super::Answers;
use crate::bundle::MakeError;
use crate::import::ImportFault;
use crate::plan::{Imported, Plan, PlannedImport, RequestId};
use crate::report::count;

/// Everything that kept the set from being complete: at least one failure.
#[derive(Debug)]
pub struct GatherError {
    failures: Vec<GatherFailure>,
}

/// One secret that could not be had, or one file that could not be made of it; or a listing, or an import.
///
/// `Display` says which file or import, secret and source; the cause is the error's [`source`](Error::source).
#[derive(Debug)]
pub struct GatherFailure {
    files: Vec<String>,
    /// What the import is called that cannot be made.
    import: Option<String>,
    source: String,
    asked: Asked,
    cause: Cause,
}

/// What was asked of the source.
#[derive(Debug)]
enum Asked {
    Secret(SecretRequest),
    Listing(String),
}

#[derive(Debug)]
enum Cause {
    Fetch(SourceError),
    Making(MakeError),
    Import(ImportFault),
}

impl GatherError {
    pub(crate) fn new(failures: Vec<GatherFailure>) -> Self {
        Self { failures }
    }

    /// Returns the failures, in the order of the configuration.
    pub fn failures(&self) -> &[GatherFailure] {
        &self.failures
    }
}

impl GatherFailure {
    /// A request that failed keeps every file from being written that is made of it.
    pub(crate) fn fetch(plan: &Plan, source: usize, request: &SecretRequest, error: SourceError) -> Self {
        let place = plan.sources.get(source);
        let place = place.and_then(|source| source.requests.iter().position(|planned| planned == request));
        let id = place.map(|request| RequestId { source, request });
        let files = plan.files.iter().filter(|(_, file)| Some(file.content.id) == id);
        let files: Vec<_> = files.map(|(name, _)| name.to_string()).collect();
        let is_of = |import: &&PlannedImport| match &import.what {
            Imported::Keys(keys) => Some(*keys) == id,
            Imported::Below { source: of, prefix } => *of == source && request.name().starts_with(prefix),
        };
        let import = plan.imports.iter().find(is_of).filter(|_| files.is_empty());
        let import = import.map(|import| import.label.clone());
        let asked = Asked::Secret(request.clone());
        Self { files, import, source: name(plan, source), asked, cause: Cause::Fetch(error) }
    }

    pub(crate) fn making(
        plan: &Plan,
        answers: &Answers,
        id: RequestId,
        file: &str,
        error: MakeError,
    ) -> Self {
        Self {
            files: vec![file.to_owned()],
            import: None,
            source: name(plan, id.source),
            asked: Asked::Secret(answers.request(id).cloned().unwrap_or_else(|| SecretRequest::new(""))),
            cause: Cause::Making(error),
        }
    }

    /// A listing that failed; none if the number is that of no import.
    pub(crate) fn listing(plan: &Plan, import: usize, error: SourceError) -> Option<Self> {
        plan.imports.get(import).map(|import| Self::of_import(plan, import, Cause::Fetch(error)))
    }

    pub(crate) fn import(plan: &Plan, import: &PlannedImport, fault: ImportFault) -> Self {
        Self::of_import(plan, import, Cause::Import(fault))
    }

    fn of_import(plan: &Plan, import: &PlannedImport, cause: Cause) -> Self {
        let (source, asked) = match &import.what {
            Imported::Below { source, prefix } => (*source, Asked::Listing(prefix.clone())),
            Imported::Keys(id) => {
                let request = plan.sources.get(id.source).and_then(|source| source.requests.get(id.request));
                let request = request.cloned().unwrap_or_else(|| SecretRequest::new(""));
                (id.source, Asked::Secret(request))
            }
        };
        let import = Some(import.label.clone());
        Self { files: Vec::new(), import, source: name(plan, source), asked, cause }
    }

    /// Returns the files that cannot be written.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Returns the name of the source.
    pub fn source_name(&self) -> &str {
        &self.source
    }

    /// Returns the name of the secret; none if secrets were to be listed.
    pub fn secret(&self) -> Option<&str> {
        match &self.asked {
            Asked::Secret(request) => Some(request.name()),
            Asked::Listing(_) => None,
        }
    }

    /// Returns the kind of a fetch that failed.
    pub fn kind(&self) -> Option<SourceErrorKind> {
        match &self.cause {
            Cause::Fetch(error) => Some(error.kind()),
            Cause::Making(_) | Cause::Import(_) => None,
        }
    }

    /// Returns what a person can do about it.
    pub fn hint(&self) -> Option<&str> {
        match &self.cause {
            Cause::Fetch(error) => error.hint(),
            Cause::Making(_) => None,
            Cause::Import(fault) => Some(fault.hint()),
        }
    }
}

impl fmt::Display for GatherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} could not be gathered", count(self.failures.len(), "secret"))
    }
}

impl Error for GatherError {}

impl fmt::Display for GatherFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [first, others @ ..] = self.files.as_slice() {
            write!(f, "file `{first}`")?;
            if !others.is_empty() {
                write!(f, " and {}", count(others.len(), "other"))?;
            }
            f.write_str(": ")?;
        }
        if let Some(import) = &self.import {
            write!(f, "{import}: ")?;
        }
        write!(f, "{} of source `{}`", self.asked, self.source)
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listing(prefix) if prefix.is_empty() => f.write_str("all secrets"),
            Self::Listing(prefix) => write!(f, "the secrets below `{prefix}`"),
            Self::Secret(request) => {
                write!(f, "secret `{}`", request.name())?;
                request.version().map_or(Ok(()), |version| write!(f, " (version `{version}`)"))
            }
        }
    }
}

/// Returns the name of a source.
fn name(plan: &Plan, source: usize) -> String {
    plan.sources.get(source).map(|source| source.name.clone()).unwrap_or_default()
}

impl Error for GatherFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Cause::Fetch(error) => Some(error),
            Cause::Making(error) => Some(error),
            Cause::Import(fault) => Some(fault),
        }
    }
}
