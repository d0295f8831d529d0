//! The settings under `[sources.NAME]`.

use std::path::PathBuf;

use schemars::JsonSchema;
use secretdir_provider::{Settings, SettingsError};
use serde::Deserialize;

/// What an operator writes.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AgeSettings {
    /// The folder that the encrypted files are in. A relative path counts from the configuration file.
    root: String,
    /// The file of the identities that can decrypt them, as `age-keygen` writes it. A relative path counts from the
    /// configuration file.
    identities: String,
}

/// Where everything is.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) root: PathBuf,
    pub(crate) identities: PathBuf,
}

impl AgeSettings {
    /// Returns the paths; every one that cannot be used is reported.
    pub(crate) fn checked(&self, settings: &Settings) -> Result<Places, SettingsError> {
        let root = settings.path("root", &self.root);
        match (root, settings.path("identities", &self.identities)) {
            (Ok(root), Ok(identities)) => Ok(Places { root, identities }),
            (Err(one), Err(other)) => Err(one.and(other)),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        }
    }
}
