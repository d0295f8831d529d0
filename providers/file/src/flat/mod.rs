//! One file that contains all secrets: each top-level key is one.
//!
//! A run reads and parses the file once, for its listings and its fetches. So all of them see the same state. The
//! contents are a part of the run's state, in buffers that are wiped at its end.

mod dotenv;
mod fault;
mod format;
mod json;
mod toml;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use secretdir_provider::{
    Answers, Listed, RunContext, Secret, SecretBuffer, SecretRequest, SecretSource, SourceError, async_trait,
};

use crate::error::{self, FileFault};
use crate::name::NameFault;
use crate::{beneath, read};

use fault::{StoreFault, ValueFault};
pub(crate) use format::Format;

/// The value of each key, or the reason why it cannot be a secret.
type Contents = BTreeMap<String, Result<SecretBuffer, ValueFault>>;

pub(crate) struct FlatSource {
    path: PathBuf,
    format: Format,
}

/// The contents that a run has read, if the file could be read.
#[derive(Default)]
struct RunContents(Mutex<Option<Arc<Contents>>>);

impl FlatSource {
    pub(crate) fn new(path: PathBuf, format: Format) -> Self {
        Self { path, format }
    }

    /// Returns the contents. The first call of the run reads them.
    fn contents_of(&self, run: &RunContext) -> Result<Arc<Contents>, StoreFault> {
        let state = run.state::<RunContents>();
        let mut kept = state.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(contents) = &*kept {
            return Ok(Arc::clone(contents));
        }
        Ok(Arc::clone(kept.insert(Arc::new(self.read()?))))
    }

    fn read(&self) -> Result<Contents, StoreFault> {
        let file = beneath::open_anywhere(&self.path).map_err(|errno| FileFault::Open(errno.into()))?;
        Ok(self.format.parse(read::whole(&file)?.expose_secret())?)
    }

    /// Reports a missing key. In TOML, `a.b` is the key `b` of the table `a`, unless it is quoted.
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
        contents: &Result<Arc<Contents>, StoreFault>,
        request: &SecretRequest,
    ) -> Result<Secret, SourceError> {
        self.check(request)?;
        let contents = contents.as_ref().map_err(|fault| fault.error(&self.path))?;
        match contents.get(request.name()) {
            Some(Ok(value)) => Ok(Secret::new(value.expose_secret())),
            Some(Err(fault)) => Err(fault.error(&self.path, request.name())),
            None => Err(self.missing(contents, request.name())),
        }
    }
}

#[async_trait]
impl SecretSource for FlatSource {
    fn local_paths(&self) -> Vec<PathBuf> {
        vec![self.path.clone()]
    }

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

    async fn fetch(&self, run: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        self.answer(&self.contents_of(run), request)
    }

    async fn fetch_all(&self, run: &RunContext, requests: &[SecretRequest], answers: &Answers) {
        let contents = self.contents_of(run);
        for (position, request) in requests.iter().enumerate() {
            answers.put(position, self.answer(&contents, request));
        }
    }

    async fn list(&self, run: &RunContext, prefix: &str) -> Result<Vec<Listed>, SourceError> {
        self.check_prefix(prefix)?;
        let contents = self.contents_of(run).map_err(|fault| fault.error(&self.path))?;
        let is_wanted = |key: &&String| key.starts_with(prefix) && NameFault::of_key(key).is_none();
        Ok(contents.keys().filter(is_wanted).map(Listed::new).collect())
    }
}

#[cfg(test)]
mod tests;
