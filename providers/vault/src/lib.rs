#![doc = include_str!("../README.md")]

mod access;
mod answer;
mod environment;
mod error;
mod issuing;
mod lease;
mod list;
mod login;
mod mounts;
mod path;
mod read;
mod refusals;
mod server;
mod session;
mod settings;
mod source;
mod time;

use secretdir_provider::{Provider, SecretSource, Settings, SettingsError, SettingsSchema};

use crate::settings::VaultSettings;
use crate::source::VaultSource;

/// The provider `vault`, for HashiCorp Vault and OpenBao.
#[derive(Clone, Copy, Debug, Default)]
pub struct VaultProvider;

impl Provider for VaultProvider {
    fn name(&self) -> &'static str {
        "vault"
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        Ok(Box::new(VaultSource::new(&settings)?))
    }

    fn settings_schema(&self) -> Option<SettingsSchema> {
        Some(SettingsSchema::new(schemars::schema_for!(VaultSettings).as_value().to_string()))
    }
}
