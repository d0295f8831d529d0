//! The source: one question to Secrets Manager for each request.

use std::fmt;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Config;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_sdk_secretsmanager::operation::get_secret_value::builders::GetSecretValueFluentBuilder;
use secretdir_provider::{FetchContext, Secret, SecretRequest, SecretSource, SourceError, async_trait};
use tokio::sync::OnceCell;

use crate::client;
use crate::error::{self, Asked};
use crate::question::{Question, Version};
use crate::settings::AwsSettings;

/// A configured source. Its client is made by the first fetch and serves all later ones.
pub(crate) struct AwsSource {
    settings: AwsSettings,
    credentials: Option<SharedCredentialsProvider>,
    client: OnceCell<Client>,
}

impl AwsSource {
    /// Takes the settings and, where the SDK shall not look for them, the credentials.
    pub(crate) fn new(settings: AwsSettings, credentials: Option<SharedCredentialsProvider>) -> Self {
        Self { settings, credentials, client: OnceCell::new() }
    }

    async fn client(&self) -> &Client {
        self.client.get_or_init(|| client::connect(&self.settings, self.credentials.clone())).await
    }
}

#[async_trait]
impl SecretSource for AwsSource {
    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        Question::read(request).map(drop)
    }

    async fn fetch(&self, context: &FetchContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        let question = Question::read(request)?;
        let client = self.client().await;
        let region = client.config().region().ok_or_else(error::no_region)?.as_ref();
        let profile = self.settings.profile.as_deref();
        let timeouts = client::timeouts(context.remaining());
        let answer = ask(client, question)
            .customize()
            .config_override(Config::builder().timeout_config(timeouts))
            .send()
            .await
            .map_err(|failure| error::of_call(failure, Asked { question, region, profile }))?;
        secret(answer, region)
    }
}

fn ask(client: &Client, question: Question<'_>) -> GetSecretValueFluentBuilder {
    let call = client.get_secret_value().secret_id(question.secret_id);
    match question.version {
        Version::Current => call,
        Version::Stage(stage) => call.version_stage(stage),
        Version::Id(id) => call.version_id(id),
    }
}

/// Moves the value out of an answer.
fn secret(answer: GetSecretValueOutput, region: &str) -> Result<Secret, SourceError> {
    let secret = match (answer.secret_string, answer.secret_binary) {
        (Some(text), _) => Secret::new(text),
        (None, Some(bytes)) => Secret::new(bytes.into_inner()),
        (None, None) => return Err(error::no_value()),
    };
    let secret = secret.with_origin(region);
    Ok(match answer.version_id {
        Some(id) => secret.with_revision(id),
        None => secret,
    })
}

impl fmt::Debug for AwsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsSource").field("settings", &self.settings).finish_non_exhaustive()
    }
}
