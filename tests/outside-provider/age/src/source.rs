//! Answers requests from encrypted files below a root.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};

use secretdir_provider::{
    RunContext, Secret, SecretRequest, SecretSource, SourceError, SourceErrorKind, async_trait,
};

use crate::error;
use crate::identities::Identities;
use crate::settings::Places;

/// The most that is read of one file, in bytes: more is no secret.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

pub(crate) struct AgeSource {
    places: Places,
}

/// The identities of a run, once they are read: the next run may find others.
type RunIdentities = OnceLock<Identities>;

impl AgeSource {
    pub(crate) fn new(places: Places) -> Self {
        Self { places }
    }

    fn identities(&self, run: &RunContext) -> Result<Arc<RunIdentities>, SourceError> {
        let state = run.state::<RunIdentities>();
        if state.get().is_none() {
            let identities = Identities::read(&self.places.identities)?;
            // Another fetch of the run may have been quicker.
            drop(state.set(identities));
        }
        Ok(state)
    }

    /// Tells apart a root without such a file, and no root.
    fn unless_no_root(&self, error: SourceError) -> SourceError {
        match error.kind() {
            SourceErrorKind::NotFound if !self.places.root.is_dir() => error::no_root(&self.places.root),
            _ => error,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.places.root.join(format!("{name}.age"))
    }
}

#[async_trait]
impl SecretSource for AgeSource {
    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        if request.version().is_some() {
            return Err(error::no_versions());
        }
        if leads_down(request.name()) { Ok(()) } else { Err(error::bad_name()) }
    }

    async fn fetch(&self, run: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        self.check(request)?;
        let path = self.path(request.name());
        let ciphertext = read(&path).map_err(|error| self.unless_no_root(error))?;
        let identities = self.identities(run)?;
        let identities = identities.get().ok_or_else(SourceError::unanswered)?;
        identities.decrypt(&ciphertext).map_err(|error| error::of_decryption(&path, &error))
    }
}

/// Says whether a name is a path that only goes down.
fn leads_down(name: &str) -> bool {
    let only_down = Path::new(name).components().all(|component| matches!(component, Component::Normal(_)));
    !name.is_empty() && !name.ends_with('/') && !name.contains('\0') && only_down
}

/// Reads a regular file: the opening of a FIFO would wait for ever.
fn read(path: &Path) -> Result<Vec<u8>, SourceError> {
    let metadata = fs::metadata(path).map_err(|error| error::of_file(path, error))?;
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return Err(error::no_secret(path));
    }
    fs::read(path).map_err(|error| error::of_file(path, error))
}
