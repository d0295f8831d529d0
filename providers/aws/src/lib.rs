#![doc = include_str!("../README.md")]

mod client;
mod credentials;
mod error;
mod question;
mod settings;
mod source;

use std::fmt;

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use secretdir_provider::{Provider, SecretSource, Settings, SettingsError, SettingsSchema};

use crate::settings::AwsSettings;
use crate::source::AwsSource;

/// AWS Secrets Manager, under the name `aws-secrets-manager`. Finds credentials as every AWS tool does.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsSecretsManager;

/// [`AwsSecretsManager`] with credentials that are given to it. `Debug` does not show them.
#[derive(Clone)]
pub struct WithCredentials {
    credentials: SharedCredentialsProvider,
}

impl AwsSecretsManager {
    /// Takes credentials from here and looks nowhere else: for a program that has some of its own.
    #[must_use]
    pub fn with_credentials(self, credentials: impl ProvideCredentials + 'static) -> WithCredentials {
        WithCredentials { credentials: SharedCredentialsProvider::new(credentials) }
    }
}

impl Provider for AwsSecretsManager {
    fn name(&self) -> &'static str {
        "aws-secrets-manager"
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        Ok(Box::new(AwsSource::new(AwsSettings::read(&settings)?, None)))
    }

    fn settings_schema(&self) -> Option<SettingsSchema> {
        Some(SettingsSchema::new(schemars::schema_for!(AwsSettings).as_value().to_string()))
    }
}

impl Provider for WithCredentials {
    fn name(&self) -> &'static str {
        AwsSecretsManager.name()
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        Ok(Box::new(AwsSource::new(AwsSettings::read(&settings)?, Some(self.credentials.clone()))))
    }

    fn settings_schema(&self) -> Option<SettingsSchema> {
        AwsSecretsManager.settings_schema()
    }
}

impl fmt::Debug for WithCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithCredentials").finish_non_exhaustive()
    }
}
