#![doc = include_str!("../README.md")]

mod attempts;
mod budget;
mod clients;
mod credential_process;
mod credentials;
mod environment;
mod error;
mod grouping;
mod http;
mod listing;
mod parameter_store;
mod quota;
mod region_clients;
mod run;
mod secrets_manager;
mod settings;

use std::fmt;

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use secretdir_provider::{Provider, SecretSource, Settings, SettingsError, SettingsSchema};

use crate::parameter_store::ParameterStore;
use crate::secrets_manager::SecretsManager;
use crate::settings::AwsSettings;

/// The provider `aws-secrets-manager`: AWS Secrets Manager. It finds credentials as every AWS tool does.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsSecretsManager;

/// The provider `aws-parameter-store`: Parameter Store of AWS Systems Manager. It finds credentials as every AWS tool does.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsParameterStore;

/// [`AwsSecretsManager`] or [`AwsParameterStore`] with the credentials of the calling program. `Debug` does not show them.
#[derive(Clone)]
pub struct WithCredentials {
    service: Service,
    credentials: SharedCredentialsProvider,
}

#[derive(Clone, Copy, Debug)]
enum Service {
    SecretsManager,
    ParameterStore,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::SecretsManager => "aws-secrets-manager",
            Self::ParameterStore => "aws-parameter-store",
        }
    }

    fn source(
        self,
        settings: &Settings,
        credentials: Option<SharedCredentialsProvider>,
    ) -> Result<Box<dyn SecretSource>, SettingsError> {
        let settings = AwsSettings::read(settings)?;
        Ok(match self {
            Self::SecretsManager => Box::new(SecretsManager::new(settings, credentials)),
            Self::ParameterStore => Box::new(ParameterStore::new(settings, credentials)),
        })
    }

    fn with(self, credentials: impl ProvideCredentials + 'static) -> WithCredentials {
        WithCredentials { service: self, credentials: SharedCredentialsProvider::new(credentials) }
    }
}

/// Returns the schema of the settings, which both services share.
fn schema() -> Option<SettingsSchema> {
    Some(SettingsSchema::new(schemars::schema_for!(AwsSettings).as_value().to_string()))
}

impl AwsSecretsManager {
    /// Uses these credentials and looks for no others, for a program that has its own.
    #[must_use]
    pub fn with_credentials(self, credentials: impl ProvideCredentials + 'static) -> WithCredentials {
        Service::SecretsManager.with(credentials)
    }
}

impl AwsParameterStore {
    /// Uses these credentials and looks for no others, for a program that has its own.
    #[must_use]
    pub fn with_credentials(self, credentials: impl ProvideCredentials + 'static) -> WithCredentials {
        Service::ParameterStore.with(credentials)
    }
}

impl Provider for AwsSecretsManager {
    fn name(&self) -> &'static str {
        Service::SecretsManager.name()
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        Service::SecretsManager.source(&settings, None)
    }

    fn settings_schema(&self) -> Option<SettingsSchema> {
        schema()
    }
}

impl Provider for AwsParameterStore {
    fn name(&self) -> &'static str {
        Service::ParameterStore.name()
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        Service::ParameterStore.source(&settings, None)
    }

    fn settings_schema(&self) -> Option<SettingsSchema> {
        schema()
    }
}

impl Provider for WithCredentials {
    fn name(&self) -> &'static str {
        self.service.name()
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        self.service.source(&settings, Some(self.credentials.clone()))
    }

    fn settings_schema(&self) -> Option<SettingsSchema> {
        schema()
    }
}

impl fmt::Debug for WithCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithCredentials").field("service", &self.service).finish_non_exhaustive()
    }
}
