#![doc = include_str!("../README.md")]

mod environment;
mod settings;
mod source;

use std::ffi::OsString;

use secretdir_provider::{Provider, SecretSource, Settings, SettingsError, SettingsSchema};

use environment::Environment;
use settings::EnvSettings;
use source::EnvSource;

/// The provider `env`: each secret is an environment variable.
#[derive(Clone, Debug, Default)]
pub struct EnvProvider {
    environment: Environment,
}

impl EnvProvider {
    /// Makes a provider that reads the current environment of this process at each fetch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a provider that reads these variables, and never the environment of the process. It is for tests, and for
    /// a program that has removed its variables from the environment. The variables are not wiped when the provider is
    /// dropped.
    ///
    /// ```
    /// use secretdir_provider_env::EnvProvider;
    ///
    /// let provider = EnvProvider::with_variables([("APP_TOKEN", "hunter2")]);
    /// assert!(!format!("{provider:?}").contains("hunter2"));
    /// ```
    pub fn with_variables<N, V>(variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        Self { environment: Environment::given(variables) }
    }
}

impl Provider for EnvProvider {
    fn name(&self) -> &'static str {
        "env"
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        let prefix = settings.parse::<EnvSettings>()?.checked_prefix()?;
        Ok(Box::new(EnvSource::new(self.environment.clone(), prefix)))
    }

    fn settings_schema(&self) -> Option<SettingsSchema> {
        Some(SettingsSchema::new(schemars::schema_for!(EnvSettings).as_value().to_string()))
    }
}
