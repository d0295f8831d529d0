//! The kind of backend: what a configuration names after `provider =`.

use std::fmt;

use crate::{SecretSource, Settings, SettingsError};

/// A kind of backend, such as `file` or `aws-secrets-manager`: makes a source out of its settings.
///
/// A provider is registered once with a command or an engine, and asked for one [`SecretSource`] for each
/// `[sources.NAME]` table that names it.
///
/// # Example
///
/// ```
/// use secretdir_provider::*;
///
/// #[derive(serde::Deserialize)]
/// #[serde(rename_all = "kebab-case")]
/// struct FixedSettings {
///     greeting: String,
/// }
///
/// struct Fixed(String);
///
/// #[async_trait]
/// impl SecretSource for Fixed {
///     async fn fetch(&self, _: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
///         Ok(Secret::new(format!("{}, {}", self.0, request.name())))
///     }
/// }
///
/// struct FixedProvider;
///
/// impl Provider for FixedProvider {
///     fn name(&self) -> &'static str {
///         "fixed"
///     }
///
///     fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
///         let settings: FixedSettings = settings.parse()?;
///         Ok(Box::new(Fixed(settings.greeting)))
///     }
/// }
/// ```
pub trait Provider: Send + Sync + 'static {
    /// Returns the word after `provider =`: lower-case letters, digits and hyphens, starting with a letter.
    fn name(&self) -> &'static str;

    /// Builds a source from its settings.
    ///
    /// Offline: opens no file, no socket and no process, and starts no thread, so that `secretdir check` works on any
    /// machine. What needs the store is done by the first fetch.
    ///
    /// # Errors
    ///
    /// Every bad or unknown setting, each with its dotted path; [`Settings::parse`] finds most of them.
    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError>;

    /// Returns a JSON Schema of the settings, for people and editors; none by default.
    fn settings_schema(&self) -> Option<SettingsSchema> {
        None
    }
}

/// A JSON Schema, as text: opaque here, so that no schema crate is part of this interface.
///
/// It describes the keys of a source without `provider`, in draft 2020-12; a crate such as `schemars` derives it from the
/// type that the settings are parsed into. Unknown keys are refused whether or not it says so, `null` is left out, since no
/// configuration has one, and `$defs` may be referred to as `#/$defs/NAME`. The documentation of a property is what
/// `secretdir providers NAME` shows, and the first of its `examples` is what `secretdir init` writes; of several choices of keys
/// (`oneOf`, each with its `required`) it writes the first.
///
/// ```
/// use secretdir_provider::SettingsSchema;
///
/// let schema = SettingsSchema::new(r#"{
///     "properties": { "greeting": { "type": "string", "description": "What every secret begins with." } },
///     "required": ["greeting"]
/// }"#);
/// assert!(schema.as_str().contains("greeting"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsSchema(String);

impl SettingsSchema {
    /// Takes the text of a JSON Schema. It is not validated here.
    pub fn new(json: impl Into<String>) -> Self {
        Self(json.into())
    }

    /// Returns the text of the schema.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SettingsSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
