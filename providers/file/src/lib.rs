#![doc = include_str!("../README.md")]

mod beneath;
mod error;
mod flat;
mod list;
mod name;
mod read;
mod settings;
mod source;
mod yield_now;

use secretdir_provider::{Provider, SecretSource, Settings, SettingsError, SettingsSchema};

use flat::FlatSource;
use settings::{FileSettings, Store};
use source::FileSource;

/// The provider `file`: each secret is a file below a root directory, or a key of one file.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileProvider;

impl Provider for FileProvider {
    fn name(&self) -> &'static str {
        "file"
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        let parsed: FileSettings = settings.parse()?;
        Ok(match parsed.store(&settings)? {
            Store::Tree(root) => Box::new(FileSource::new(root)),
            Store::Flat(path, format) => Box::new(FlatSource::new(path, format)),
        })
    }

    fn settings_schema(&self) -> Option<SettingsSchema> {
        Some(SettingsSchema::new(schemars::schema_for!(FileSettings).as_value().to_string()))
    }
}
