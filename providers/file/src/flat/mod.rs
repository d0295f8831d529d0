//! One file that holds all secrets: each top-level key is one.
//!
//! A run reads and parses the file once, so that all its answers come from one state of it. Values are copied into buffers
//! that are wiped when the run is over.

mod buffer;
mod dotenv;
mod fault;
mod format;
mod json;
mod toml;

use std::collections::BTreeMap;
use std::path::PathBuf;

use secretdir_provider::{FetchContext, Secret, SecretRequest, SecretSource, SourceError, async_trait};
use zeroize::Zeroizing;

use crate::error::{self, FileFault};
use crate::name::NameFault;
use crate::{beneath, read};

use fault::{StoreFault, ValueFault};
pub(crate) use format::Format;

/// The value of each key, or what keeps it from being one.
type Contents = BTreeMap<String, Result<Zeroizing<Vec<u8>>, ValueFault>>;

#[derive(Debug)]
pub(crate) struct FlatSource {
    path: PathBuf,
    format: Format,
}

impl FlatSource {
    pub(crate) fn new(path: PathBuf, format: Format) -> Self {
        Self { path, format }
    }

    fn read(&self) -> Result<Contents, StoreFault> {
        let file = beneath::open_anywhere(&self.path).map_err(FileFault::Open)?;
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
        _: &FetchContext,
        requests: &[SecretRequest],
    ) -> Vec<Result<Secret, SourceError>> {
        let contents = self.read();
        requests.iter().map(|request| self.answer(&contents, request)).collect()
    }

    async fn list(&self, _: &FetchContext, prefix: &str) -> Result<Vec<String>, SourceError> {
        self.check_prefix(prefix)?;
        let keys = self.read().map_err(|fault| fault.error(&self.path))?.into_keys();
        Ok(keys.filter(|key| key.starts_with(prefix) && NameFault::of_key(key).is_none()).collect())
    }
}

#[cfg(test)]
mod tests;
