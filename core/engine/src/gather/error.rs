//! Why a set could not be gathered: every failure, each with the files that it keeps from being written.

use std::error::Error;
use std::fmt;

use secretdir_provider::{SecretRequest, SourceError, SourceErrorKind};

use crate::bundle::MakeError;
use crate::plan::Plan;
use crate::report::count;

/// Everything that kept the set from being complete: at least one failure.
#[derive(Debug)]
pub struct GatherError {
    failures: Vec<GatherFailure>,
}

/// One secret that could not be had, or one file that could not be made of it.
///
/// `Display` says which file, secret and source; the cause is the error's [`source`](Error::source).
#[derive(Debug)]
pub struct GatherFailure {
    files: Vec<String>,
    source: String,
    request: SecretRequest,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Fetch(SourceError),
    Making(MakeError),
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
    pub(crate) fn fetch(plan: &Plan, source: usize, request: usize, error: SourceError) -> Self {
        let files = plan.files.iter().filter(|(_, file)| (file.source, file.request) == (source, request));
        let files = files.map(|(name, _)| name.to_string()).collect();
        Self::new(plan, (source, request), files, Cause::Fetch(error))
    }

    pub(crate) fn making(plan: &Plan, source: usize, request: usize, file: &str, error: MakeError) -> Self {
        Self::new(plan, (source, request), vec![file.to_owned()], Cause::Making(error))
    }

    fn new(plan: &Plan, (source, request): (usize, usize), files: Vec<String>, cause: Cause) -> Self {
        let planned = plan.sources.get(source);
        let request = planned.and_then(|source| source.requests.get(request)).cloned();
        let source = planned.map(|source| source.name.clone()).unwrap_or_default();
        Self { files, source, request: request.unwrap_or_else(|| SecretRequest::new("")), cause }
    }

    /// Returns the files that cannot be written.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Returns the name of the source.
    pub fn source_name(&self) -> &str {
        &self.source
    }

    /// Returns the name of the secret.
    pub fn secret(&self) -> &str {
        self.request.name()
    }

    /// Returns the kind of a fetch that failed.
    pub fn kind(&self) -> Option<SourceErrorKind> {
        match &self.cause {
            Cause::Fetch(error) => Some(error.kind()),
            Cause::Making(_) => None,
        }
    }

    /// Returns what a person can do about it.
    pub fn hint(&self) -> Option<&str> {
        match &self.cause {
            Cause::Fetch(error) => error.hint(),
            Cause::Making(_) => None,
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
        write!(f, "secret `{}`", self.request.name())?;
        if let Some(version) = self.request.version() {
            write!(f, " (version `{version}`)")?;
        }
        write!(f, " of source `{}`", self.source)
    }
}

impl Error for GatherFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Cause::Fetch(error) => Some(error),
            Cause::Making(error) => Some(error),
        }
    }
}
