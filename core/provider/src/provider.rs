//! A kind of backend: the word after `provider =` in a configuration.

use std::fmt;

use crate::{SecretSource, Settings, SettingsError};

/// A kind of backend, such as `file` or `aws-secrets-manager`. It makes sources from settings.
///
/// Register a provider once with a command or an engine. It makes one [`SecretSource`] for each `[sources.NAME]` table that
/// names it.
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
    /// It must work offline: it opens no file and no socket, and starts no process and no thread. So `secretdir check` works
    /// on any machine. The first fetch does everything that needs the store.
    ///
    /// # Errors
    ///
    /// Every bad or unknown setting, with its dotted path. [`Settings::parse`] finds most of them.
    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError>;

    /// Returns a JSON Schema of the settings, for people and editors. By default there is none.
    fn settings_schema(&self) -> Option<SettingsSchema> {
        None
    }
}

/// A JSON Schema, as text. It is opaque, so no schema crate is part of this interface.
///
/// It describes the keys of a source without `provider`, in draft 2020-12. A crate such as `schemars` can derive it from the
/// type that you parse the settings into.
///
/// - `secretdir providers NAME` shows the description of each property.
/// - `secretdir init` writes the first of the `examples` of a property. If there are several choices of keys (`oneOf`, each with
///   its `required`), it writes the first choice.
/// - `$defs` may be referred to as `#/$defs/NAME`.
/// - Unknown keys are errors even if the schema does not say so. `null` is left out, because TOML has none.
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
