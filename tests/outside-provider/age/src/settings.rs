//! The settings under `[sources.NAME]`.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use secretdir_provider::SettingsError;
use serde::Deserialize;

/// What an operator writes.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AgeSettings {
    /// The folder that the encrypted files are in. A relative path counts from the configuration file.
    root: PathBuf,
    /// The file of the identities that can decrypt them, as `age-keygen` writes it. A relative path counts from the
    /// configuration file.
    identities: PathBuf,
}

/// Where everything is.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) root: PathBuf,
    pub(crate) identities: PathBuf,
}

impl AgeSettings {
    /// Returns the paths; a relative one counts from `base_dir`.
    pub(crate) fn checked(&self, base_dir: &Path) -> Result<Places, SettingsError> {
        for (key, path) in [("root", &self.root), ("identities", &self.identities)] {
            if path.as_os_str().is_empty() {
                return Err(SettingsError::new(key, "must not be empty"));
            }
        }
        Ok(Places { root: base_dir.join(&self.root), identities: base_dir.join(&self.identities) })
    }
}
