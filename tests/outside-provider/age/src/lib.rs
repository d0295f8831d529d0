#![doc = include_str!("../README.md")]

mod error;
mod identities;
mod settings;
mod source;

use secretdir_provider::{Provider, SecretSource, Settings, SettingsError, SettingsSchema};

use settings::AgeSettings;
use source::AgeSource;

/// The provider `age`: each secret is a file that the age tool has encrypted.
#[derive(Clone, Copy, Debug, Default)]
pub struct AgeProvider;

impl Provider for AgeProvider {
    fn name(&self) -> &'static str {
        "age"
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        let parsed: AgeSettings = settings.parse()?;
        Ok(Box::new(AgeSource::new(parsed.checked(&settings)?)))
    }

    fn settings_schema(&self) -> Option<SettingsSchema> {
        Some(SettingsSchema::new(schemars::schema_for!(AgeSettings).as_value().to_string()))
    }
}
