//! Why a set could not be gathered: every failure, each with the files that it keeps from being written.

use std::error::Error;
use std::fmt;

use secretdir_provider::{SecretRequest, SourceError, SourceErrorKind};

use super::Answers;
use crate::bundle::MakeError;
use crate::import::{self, ImportFault};
use crate::plan::{Content, IfAbsent, Imported, Plan, PlannedImport, PlannedTemplate, RequestId, SecretUse};
use crate::report::count;
use crate::template::TemplateError;

/// Everything that kept the set from being complete: at least one failure.
#[derive(Debug)]
pub struct GatherError {
    failures: Vec<GatherFailure>,
}

/// One secret that could not be had, or one file that could not be made; or a listing, or an import.
///
/// `Display` says which file or import, secret and source; the cause is the error's [`source`](Error::source).
#[derive(Debug)]
pub struct GatherFailure {
    files: Vec<String>,
    /// Where in the template of the first file.
    place: Option<String>,
    /// Where the import stands that cannot be made; or what else it is that failed.
    import: Option<String>,
    asked: Option<Asked>,
    cause: Cause,
}

/// What was asked of a source.
#[derive(Debug)]
struct Asked {
    source: String,
    what: What,
}

#[derive(Debug)]
enum What {
    Secret(SecretRequest),
    Listing(String),
}

#[derive(Debug)]
enum Cause {
    Fetch(SourceError),
    Making(MakeError),
    Rendering(TemplateError),
    Import(ImportFault),
    TooLarge(TooLarge),
}

/// The set is larger than the configuration allows.
#[derive(Debug, thiserror::Error)]
#[error("larger than {0} bytes")]
struct TooLarge(u64);

impl GatherError {
    pub(crate) fn new(failures: Vec<GatherFailure>) -> Self {
        Self { failures }
    }

    /// Returns the failures, in the order of the sources' names, and of each source those of listings first.
    pub fn failures(&self) -> &[GatherFailure] {
        &self.failures
    }
}

impl GatherFailure {
    /// A request that failed keeps every file from being written that is made of it; if there is no such secret, only those that
    /// need one.
    pub(crate) fn fetch(plan: &Plan, source: usize, request: &SecretRequest, error: SourceError) -> Self {
        let planned = plan.sources.get(source);
        let place = planned.and_then(|source| source.requests.iter().position(|planned| planned == request));
        let id = place.map(|request| RequestId { source, request });
        let is_needed =
            |used: &SecretUse| error.kind() != SourceErrorKind::NotFound || used.if_absent == IfAbsent::Fail;
        let is_it = |used: &SecretUse| Some(used.id) == id && is_needed(used);
        let files = plan.files.iter().filter(|(_, file)| file.content.uses().iter().any(is_it));
        let files: Vec<_> = files.collect();
        let place = files.first().and_then(|(_, file)| file.content.place_of(is_it));
        let is_of = |import: &&PlannedImport| match &import.what {
            Imported::Keys(keys) => Some(*keys) == id,
            Imported::Below { source: of, prefix } => {
                let is_below = *of == source && request.name().starts_with(prefix);
                is_below && request.version().is_none() && import::is_made_of(plan, import, request.name())
            }
        };
        let import = plan.imports.iter().find(is_of).filter(|_| files.is_empty());
        Self {
            files: files.iter().map(|(name, _)| name.to_string()).collect(),
            place,
            import: import.map(|import| import.place.clone()),
            asked: asked(plan, source, What::Secret(request.clone())),
            cause: Cause::Fetch(error),
        }
    }

    /// A file that cannot be made of a secret.
    pub(crate) fn making(plan: &Plan, answers: &Answers, unmade: Unmade<'_>) -> Self {
        let Unmade { file, content, used, error } = unmade;
        let request = answers.request(used.id).cloned();
        Self {
            files: vec![file.to_owned()],
            place: content.place_of(|other| other == used),
            import: None,
            asked: request.and_then(|request| asked(plan, used.id.source, What::Secret(request))),
            cause: Cause::Making(error),
        }
    }

    /// A file that cannot be rendered.
    pub(crate) fn rendering(file: &str, template: &PlannedTemplate, error: TemplateError) -> Self {
        Self {
            files: vec![file.to_owned()],
            place: Some(template.at(error.place)),
            import: None,
            asked: None,
            cause: Cause::Rendering(error),
        }
    }

    /// A listing that failed, told of the first import that needs it.
    pub(crate) fn listing(plan: &Plan, source: usize, prefix: &str, error: SourceError) -> Option<Self> {
        let is_it = |import: &&PlannedImport| match &import.what {
            Imported::Below { source: of, prefix: its } => *of == source && its == prefix,
            Imported::Keys(_) => false,
        };
        let import = plan.imports.iter().find(is_it)?;
        Some(Self::of_import(plan, import, Cause::Fetch(error)))
    }

    pub(crate) fn import(plan: &Plan, import: &PlannedImport, fault: ImportFault) -> Self {
        Self::of_import(plan, import, Cause::Import(fault))
    }

    /// All secrets, or all files, are larger together than the configuration allows.
    pub(crate) fn too_large(most: u64) -> Self {
        let what = "the secrets and files of this run together".to_owned();
        Self {
            files: Vec::new(),
            place: None,
            import: Some(what),
            asked: None,
            cause: Cause::TooLarge(TooLarge(most)),
        }
    }

    fn of_import(plan: &Plan, import: &PlannedImport, cause: Cause) -> Self {
        let asked = match &import.what {
            Imported::Below { source, prefix } => asked(plan, *source, What::Listing(prefix.clone())),
            Imported::Keys(id) => {
                let request = plan.sources.get(id.source).and_then(|source| source.requests.get(id.request));
                request.and_then(|request| asked(plan, id.source, What::Secret(request.clone())))
            }
        };
        Self { files: Vec::new(), place: None, import: Some(import.place.clone()), asked, cause }
    }

    /// Returns the files that cannot be written.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Returns the name of the source; none if it is no matter of a single one.
    pub fn source_name(&self) -> Option<&str> {
        self.asked.as_ref().map(|asked| asked.source.as_str())
    }

    /// Returns the name of the secret; none if it is no matter of a single one.
    pub fn secret(&self) -> Option<&str> {
        match &self.asked.as_ref()?.what {
            What::Secret(request) => Some(request.name()),
            What::Listing(_) => None,
        }
    }

    /// Returns the kind of a fetch that failed.
    pub fn kind(&self) -> Option<SourceErrorKind> {
        match &self.cause {
            Cause::Fetch(error) => Some(error.kind()),
            Cause::Making(_) | Cause::Rendering(_) | Cause::Import(_) | Cause::TooLarge(_) => None,
        }
    }

    /// Returns what a person can do about it.
    pub fn hint(&self) -> Option<&str> {
        match &self.cause {
            Cause::Fetch(error) => error.hint(),
            Cause::Making(_) | Cause::Rendering(_) => None,
            Cause::Import(fault) => fault.hint(),
            Cause::TooLarge(_) => Some("raise `max-bytes` under [gather] if that is meant"),
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
        let mut parts = Vec::new();
        if let [first, others @ ..] = self.files.as_slice() {
            let place = self.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
            let others = match others.len() {
                0 => String::new(),
                others => format!(" and {}", count(others, "other")),
            };
            parts.push(format!("file `{first}`{place}{others}"));
        }
        parts.extend(self.import.clone());
        parts.extend(self.asked.as_ref().map(ToString::to_string));
        f.write_str(&parts.join(": "))
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Listing(prefix) if prefix.is_empty() => f.write_str("all secrets")?,
            What::Listing(prefix) => write!(f, "the secrets below `{prefix}`")?,
            What::Secret(request) => {
                write!(f, "secret `{}`", request.name())?;
                if let Some(version) = request.version() {
                    write!(f, " (version `{version}`)")?;
                }
            }
        }
        write!(f, " of source `{}`", self.source)
    }
}

/// A file that cannot be made of a secret, and why.
pub(crate) struct Unmade<'a> {
    pub(crate) file: &'a str,
    pub(crate) content: &'a Content,
    pub(crate) used: &'a SecretUse,
    pub(crate) error: MakeError,
}

fn asked(plan: &Plan, source: usize, what: What) -> Option<Asked> {
    plan.sources.get(source).map(|source| Asked { source: source.name.clone(), what })
}

impl Error for GatherFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Cause::Fetch(error) => Some(error),
            Cause::Making(error) => Some(error),
            Cause::Rendering(error) => Some(error),
            Cause::Import(fault) => Some(fault),
            Cause::TooLarge(fault) => Some(fault),
        }
    }
}
