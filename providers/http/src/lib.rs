#![doc = include_str!("../README.md")]

mod answer;
mod error;
mod header;
mod redirect;
mod settings;
mod source;
mod status;
mod template;

use secretdir_provider::{Provider, SecretSource, Settings, SettingsError, SettingsSchema};

use crate::settings::HttpSettings;
use crate::source::HttpSource;

/// The provider `http`: each secret is the body of the answer to one request.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpProvider;

impl Provider for HttpProvider {
    fn name(&self) -> &'static str {
        "http"
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        let parsed: HttpSettings = settings.parse()?;
        Ok(Box::new(HttpSource::new(parsed.checked(&settings)?)))
    }

    fn settings_schema(&self) -> Option<SettingsSchema> {
        Some(SettingsSchema::new(schemars::schema_for!(HttpSettings).as_value().to_string()))
    }
}
