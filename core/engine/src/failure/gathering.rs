//! The reasons why a set could not be gathered: every failure, with the files that cannot be written because of it.
//!
//! If many secrets fail for the same cause, one failure names them all.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fmt;

use secretdir_provider::{SecretRequest, SourceError, SourceErrorKind};

use super::affected::Affected;
use crate::bundle::import::ImportFault;
use crate::bundle::{BundleFault, MakeError};
use crate::gather::{self, GatherFault};
use crate::plan::{Imported, Plan, Selection};
use crate::report::{count, describe, enumerate, in_a_row};
use secretdir_template::TemplateError;

/// Every failure of a gathering. There is at least one.
#[derive(Debug)]
pub struct GatherError {
    failures: Vec<GatherFailure>,
}

/// Secrets that could not be fetched for one reason, or a file that could not be made. It may also be a listing or an
/// import.
///
/// `Display` names the files or import, the secrets, and the source. [`source`](Error::source) returns the cause.
#[derive(Debug)]
pub struct GatherFailure {
    files: Vec<String>,
    /// The position in the template of the first file, or the name of the secret in it.
    place: Option<String>,
    /// The positions of the imports that fail, or a description of the whole if the set is too large.
    imports: Vec<String>,
    asked: Option<Asked>,
    cause: Cause,
}

/// The question that a source was asked.
#[derive(Debug)]
struct Asked {
    source: String,
    what: What,
}

#[derive(Debug)]
enum What {
    Secrets(Vec<SecretRequest>),
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
    /// Converts the faults of fetching: one failure for each cause.
    pub(crate) fn of_faults(plan: &Plan, faults: Vec<GatherFault>) -> Self {
        let affected = Affected::of(plan);
        let mut failures: Vec<GatherFailure> = Vec::new();
        let mut causes = HashMap::new();
        for fault in faults {
            let cause = fault.shared_cause();
            let Some(failure) = GatherFailure::of_fault(plan, &affected, fault) else { continue };
            let known = cause.and_then(|cause| {
                let position = *causes.entry((cause, failure.imports.is_empty())).or_insert(failures.len());
                failures.get_mut(position)
            });
            match known {
                Some(known) => known.absorb(failure),
                None => failures.push(failure),
            }
        }
        failures.iter_mut().for_each(GatherFailure::name_each_once);
        Self { failures }
    }

    /// Converts the faults of making files.
    pub(crate) fn of_bundle_faults(plan: &Plan, faults: Vec<BundleFault>) -> Self {
        Self { failures: faults.into_iter().map(|fault| GatherFailure::of_bundle(plan, fault)).collect() }
    }

    /// Returns the failures, in the order of the names of the sources. Failed listings of a source come first.
    pub fn failures(&self) -> &[GatherFailure] {
        &self.failures
    }
}

/// The key by which failures are merged: the source, and everything that the error says. Failures of imports are not merged
/// with those of files.
type SharedCause = (usize, SourceErrorKind, String, Option<String>);

impl GatherFault {
    fn shared_cause(&self) -> Option<SharedCause> {
        match self {
            Self::Fetch { source, error, .. } => {
                Some((*source, error.kind(), describe(error), error.hint().map(str::to_owned)))
            }
            Self::Listing { .. } | Self::TooLarge(_) => None,
        }
    }
}

impl GatherFailure {
    fn of_fault(plan: &Plan, affected: &Affected<'_>, fault: GatherFault) -> Option<Self> {
        match fault {
            GatherFault::Fetch { source, request, error } => {
                Some(Self::fetch(plan, affected, source, request, error))
            }
            GatherFault::Listing { source, prefix, error } => Self::listing(plan, source, &prefix, error),
            GatherFault::TooLarge(most) => Some(Self::too_large(most)),
        }
    }

    /// Makes the failure of a request. No file that is made of the secret can be written. If the secret was not found, only
    /// the files that require it fail.
    fn fetch(
        plan: &Plan,
        affected: &Affected<'_>,
        source: usize,
        request: SecretRequest,
        error: SourceError,
    ) -> Self {
        let files = affected.files(source, &request, error.kind());
        let import = if files.is_empty() { affected.selection(source, &request) } else { None };
        Self {
            place: files.first().and_then(|file| file.place()),
            files: files.into_iter().map(|file| file.name.to_owned()).collect(),
            imports: import.map(|import| import.place.clone()).into_iter().collect(),
            asked: asked(plan, source, What::Secrets(vec![request])),
            cause: Cause::Fetch(error),
        }
    }

    /// Merges another failure with the same cause.
    fn absorb(&mut self, other: Self) {
        if self.files.is_empty() {
            self.place = other.place;
        }
        self.files.extend(other.files);
        self.imports.extend(other.imports);
        if let (
            Some(Asked { what: What::Secrets(mine), .. }),
            Some(Asked { what: What::Secrets(more), .. }),
        ) = (&mut self.asked, other.asked)
        {
            mine.extend(more);
        }
    }

    /// Removes duplicate names, because a file or an import may need several secrets.
    fn name_each_once(&mut self) {
        for names in [&mut self.files, &mut self.imports] {
            let mut named = HashSet::new();
            names.retain(|name| named.insert(name.clone()));
        }
    }

    fn of_bundle(plan: &Plan, fault: BundleFault) -> Self {
        match fault {
            BundleFault::Selection { selection, fault } => {
                Self::of_selection(plan, &selection, Cause::Import(fault))
            }
            BundleFault::Making { file, place, source, request, error } => Self {
                files: vec![file],
                place,
                imports: Vec::new(),
                asked: request.and_then(|request| asked(plan, source, What::Secrets(vec![request]))),
                cause: Cause::Making(error),
            },
            BundleFault::Rendering { file, place, error } => Self {
                files: vec![file],
                place: Some(place),
                imports: Vec::new(),
                asked: None,
                cause: Cause::Rendering(error),
            },
            BundleFault::TooLarge(most) => Self::too_large(most),
        }
    }

    /// Makes the failure of a listing, with each import that needs it. If the source is down, this is each import that
    /// lists it.
    fn listing(plan: &Plan, source: usize, prefix: &str, error: SourceError) -> Option<Self> {
        let is_down = gather::is_down(&error);
        let mut imports = plan.selections().filter(|selection| match &selection.what {
            Imported::Below { source: of, prefix: its } => *of == source && (is_down || its == prefix),
            Imported::Keys(_) => false,
        });
        let mut failure = Self::of_selection(plan, imports.next()?, Cause::Fetch(error));
        failure.imports.extend(imports.map(|import| import.place.clone()));
        Some(failure)
    }

    /// Makes the failure for secrets or files that are together larger than the configuration allows.
    fn too_large(most: u64) -> Self {
        let what = "the secrets and files of this run together".to_owned();
        Self {
            files: Vec::new(),
            place: None,
            imports: vec![what],
            asked: None,
            cause: Cause::TooLarge(TooLarge(most)),
        }
    }

    fn of_selection(plan: &Plan, selection: &Selection, cause: Cause) -> Self {
        let asked = match &selection.what {
            Imported::Below { source, prefix } => asked(plan, *source, What::Listing(prefix.clone())),
            Imported::Keys(id) => {
                let request = plan.sources.get(id.source).and_then(|source| source.requests.get(id.request));
                request.and_then(|request| asked(plan, id.source, What::Secrets(vec![request.clone()])))
            }
        };
        Self { files: Vec::new(), place: None, imports: vec![selection.place.clone()], asked, cause }
    }

    /// Returns the files that cannot be written.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Returns the name of the source, or none if the failure is not about a single source.
    pub fn source_name(&self) -> Option<&str> {
        self.asked.as_ref().map(|asked| asked.source.as_str())
    }

    /// Returns the names of the secrets that failed for this reason. It is empty if the failure is not about single
    /// secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let requests = match self.asked.as_ref().map(|asked| &asked.what) {
            Some(What::Secrets(requests)) => requests.as_slice(),
            Some(What::Listing(_)) | None => &[],
        };
        requests.iter().map(SecretRequest::name)
    }

    /// Returns the kind of the error of the source, if the source failed.
    pub fn kind(&self) -> Option<SourceErrorKind> {
        match &self.cause {
            Cause::Fetch(error) => Some(error.kind()),
            Cause::Making(_) | Cause::Rendering(_) | Cause::Import(_) | Cause::TooLarge(_) => None,
        }
    }

    /// Returns a hint for the user.
    pub fn hint(&self) -> Option<&str> {
        match &self.cause {
            Cause::Fetch(error) => error.hint(),
            Cause::Making(MakeError::Transform(error)) => error.hint(),
            Cause::Making(_) | Cause::Rendering(_) => None,
            Cause::Import(fault) => fault.hint(),
            Cause::TooLarge(_) => Some("raise `max-bytes` under [gather] if that is intended"),
        }
    }
}

fn asked(plan: &Plan, source: usize, what: What) -> Option<Asked> {
    plan.sources.get(source).map(|source| Asked { source: source.name.clone(), what })
}

impl fmt::Display for GatherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secrets = self.failures.iter().map(|failure| failure.secrets().count().max(1)).sum();
        write!(f, "{} could not be gathered", count(secrets, "secret"))
    }
}

impl Error for GatherError {}

impl fmt::Display for GatherFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let [first, others @ ..] = self.files.as_slice() {
            let place = self.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
            let first = format!("`{first}`{place}");
            let others = others.iter().map(|file| format!("`{file}`"));
            parts.push(enumerate("file", std::iter::once(first).chain(others)));
        }
        if !self.imports.is_empty() {
            parts.push(in_a_row(self.imports.clone()));
        }
        parts.extend(self.asked.as_ref().map(ToString::to_string));
        f.write_str(&parts.join(": "))
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Listing(prefix) if prefix.is_empty() => f.write_str("all secrets")?,
            What::Listing(prefix) => write!(f, "the secrets below `{prefix}`")?,
            What::Secrets(requests) => f.write_str(&enumerate("secret", requests.iter().map(named)))?,
        }
        write!(f, " of source `{}`", self.source)
    }
}

fn named(request: &SecretRequest) -> String {
    match request.version() {
        Some(version) => format!("`{}` (version `{version}`)", request.name()),
        None => format!("`{}`", request.name()),
    }
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
