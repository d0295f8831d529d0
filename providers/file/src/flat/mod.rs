//! One file that holds all secrets: each top-level key is one.
//!
//! A run reads and parses the file once, for what it lists and what it fetches, so that all of it is of one state. Runs are told
//! apart by their deadlines. Values are copied into buffers
//! that are wiped when the run is over.

mod buffer;
mod dotenv;
mod fault;
mod format;
mod json;
mod toml;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use secretdir_provider::{FetchContext, Secret, SecretRequest, SecretSource, SourceError, async_trait};
use zeroize::Zeroizing;

use crate::error::{self, FileFault};
use crate::name::NameFault;
use crate::{beneath, read};

use fault::{StoreFault, ValueFault};
pub(crate) use format::Format;

/// The value of each key, or what keeps it from being one.
type Contents = BTreeMap<String, Result<Zeroizing<Vec<u8>>, ValueFault>>;

pub(crate) struct FlatSource {
    path: PathBuf,
    format: Format,
    /// What the run with this deadline has read when it listed.
    kept: Mutex<Option<(Instant, Contents)>>,
}

impl FlatSource {
    pub(crate) fn new(path: PathBuf, format: Format) -> Self {
        Self { path, format, kept: Mutex::default() }
    }

    /// Returns what the run with this deadline has read already, or reads it. What an earlier run has left is wiped.
    fn of_run(&self, context: &FetchContext) -> Result<Contents, StoreFault> {
        let kept = self.kept().take().filter(|(run, _)| *run == context.deadline());
        kept.map_or_else(|| self.read(), |(_, contents)| Ok(contents))
    }

    fn kept(&self) -> MutexGuard<'_, Option<(Instant, Contents)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> Result<Contents, StoreFault> {
        let file = beneath::open_anywhere(&self.path).map_err(|errno| FileFault::Open(errno.into()))?;
        Ok(self.format.parse(&read::whole(&file)?)?)
    }

    /// Says that there is no such key. In TOML `a.b` is the key `b` of the table `a`, unless it is quoted.
    fn missing(&self, contents: &Contents, key: &str) -> SourceError {
        let table = key.split_once('.').map(|(table, _)| table);
        match self.format {
            Format::Toml if table.is_some_and(|table| contents.contains_key(table)) => {
                fault::no_such_dotted_key(&self.path, key)
            }
            _ => fault::no_such_key(&self.path, key),
        }
    }

    fn answer(
        &self,
        contents: &Result<Contents, StoreFault>,
        request: &SecretRequest,
    ) -> Result<Secret, SourceError> {
        self.check(request)?;
        let contents = contents.as_ref().map_err(|fault| fault.error(&self.path))?;
        match contents.get(request.name()) {
            Some(Ok(value)) => Ok(Secret::new(value.as_slice())),
            Some(Err(fault)) => Err(fault.error(&self.path, request.name())),
            None => Err(self.missing(contents, request.name())),
        }
    }
}

#[async_trait]
impl SecretSource for FlatSource {
    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        if request.version().is_some() {
            return Err(error::no_versions());
        }
        match NameFault::of_key(request.name()) {
            Some(fault) => Err(fault::bad_key(fault)),
            None => Ok(()),
        }
    }

    fn check_prefix(&self, prefix: &str) -> Result<(), SourceError> {
        if prefix.contains('\0') { Err(error::bad_prefix(NameFault::Nul)) } else { Ok(()) }
    }

    async fn fetch(&self, _: &FetchContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        self.answer(&self.read(), request)
    }

    async fn fetch_all(
        &self,
        context: &FetchContext,
        requests: &[SecretRequest],
    ) -> Vec<Result<Secret, SourceError>> {
        let contents = self.of_run(context);
        let answers = requests.iter().map(|request| self.answer(&contents, request));
        answers.map(|answer| context.admit(answer?)).collect()
    }

    /// Keeps what it has read: what the run lists and fetches must be of one state of the file.
    async fn list(&self, context: &FetchContext, prefix: &str) -> Result<Vec<String>, SourceError> {
        self.check_prefix(prefix)?;
        let contents = self.of_run(context).map_err(|fault| fault.error(&self.path))?;
        let is_wanted = |key: &&String| key.starts_with(prefix) && NameFault::of_key(key).is_none();
        let keys = contents.keys().filter(is_wanted).cloned().collect();
        *self.kept() = Some((context.deadline(), contents));
        Ok(keys)
    }
}

/// Leaves out what was read.
impl fmt::Debug for FlatSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, format, .. } = self;
        f.debug_struct("FlatSource").field("path", path).field("format", format).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
