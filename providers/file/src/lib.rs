#![doc = include_str!("../README.md")]

mod beneath;
mod error;
mod list;
mod name;
mod read;
mod settings;
mod source;
mod turn;

use secretdir_provider::{Provider, SecretSource, Settings, SettingsError, SettingsSchema};

use settings::FileSettings;
use source::FileSource;

/// The provider `file`: each secret is a file below a root directory.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileProvider;

impl Provider for FileProvider {
    fn name(&self) -> &'static str {
        "file"
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        let parsed: FileSettings = settings.parse()?;
        Ok(Box::new(FileSource::new(parsed.root_from(settings.base_dir())?)))
    }

    fn settings_schema(&self) -> Option<SettingsSchema> {
        Some(SettingsSchema::new(schemars::schema_for!(FileSettings).as_value().to_string()))
    }
}
