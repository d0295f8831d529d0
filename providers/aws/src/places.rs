//! Where a source asks, and as whom: the configuration of the SDK for each of its regions.

use std::time::{Duration, Instant};

use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use secretdir_provider::SourceError;
use tokio::sync::OnceCell;

use crate::credential_process::CredentialProcess;
use crate::credentials::{Clues, Remembering};
use crate::http::Agent;
use crate::settings::AwsSettings;
use crate::surroundings::{PrintedCredentials, Surroundings, check_region, readable};
use crate::{error, http};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one attempt of a call may take. These services answer in well under a second; an attempt that hangs leaves
/// time for another.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// The name of a session where the settings have none.
pub(crate) const SESSION: &str = "secretdir";

/// The regions of one source, the first one and those to turn to, with what they share.
pub(crate) struct Places {
    settings: AwsSettings,
    credentials: Option<SharedCredentialsProvider>,
    surroundings: OnceCell<(SdkConfig, Option<CredentialProcess>)>,
}

/// One region.
pub(crate) struct Place {
    pub(crate) region: String,
    /// The first region of the source.
    pub(crate) home: String,
    pub(crate) endpoint_url: Option<String>,
    pub(crate) config: SdkConfig,
    /// What prints the credentials, if something does: to be refreshed before they are needed.
    pub(crate) process: Option<CredentialProcess>,
}

impl Places {
    /// Takes the settings and, where the SDK shall not look for them, the credentials.
    pub(crate) fn new(settings: AwsSettings, credentials: Option<SharedCredentialsProvider>) -> Self {
        Self { settings, credentials, surroundings: OnceCell::new() }
    }

    pub(crate) fn settings(&self) -> &AwsSettings {
        &self.settings
    }

    /// Returns how many regions there are.
    pub(crate) fn count(&self) -> usize {
        1 + self.settings.failover_region.len()
    }

    /// Returns the region at this place, of which 0 is the first. The first time, reads the environment and AWS's
    /// configuration files, and may ask the instance for its region.
    pub(crate) async fn place(&self, number: usize) -> Result<Place, SourceError> {
        let (shared, process) = self.surroundings.get_or_try_init(|| self.look_around()).await?;
        let failover = number.checked_sub(1).and_then(|number| self.settings.failover_region.get(number));
        let home = shared.region().map(ToString::to_string).ok_or_else(error::no_region)?;
        let region = failover.unwrap_or(&home).clone();
        let endpoint_url = self.settings.endpoint_url.as_ref().map(|url| url.replace("{region}", &region));
        let config = shared.to_builder().region(Region::new(region.clone())).build();
        Ok(Place { region, home, endpoint_url, config, process: process.clone() })
    }

    async fn look_around(&self) -> Result<(SdkConfig, Option<CredentialProcess>), SourceError> {
        let mut found = Surroundings::read(&self.settings)?;
        let printed = found.printed.take().filter(|_| self.credentials.is_none());
        let region = self.region(&found).await?;
        self.tell(&found, &region);
        let agent = Agent::default();
        let config = found.configure(self.loader(&found, &agent)).region(Region::new(region)).load().await;
        let clues = Clues { token_files: found.token_files, agent };
        let credentials = self.credentials(&config, printed.as_ref(), clues).await;
        let mut config = config.into_builder();
        config.set_credentials_provider(credentials);
        Ok((config.build(), printed.map(|printed| printed.process)))
    }

    /// Traces where is asked, and as whom: nothing of it is secret.
    fn tell(&self, found: &Surroundings, region: &str) {
        let role = self.settings.role_arn.as_ref().or(found.role.as_ref());
        let profile = found.profile.as_deref().map(readable);
        tracing::debug!(region, profile, role, "signing in");
    }

    /// Returns the region of the settings, the environment, the profile or the instance.
    async fn region(&self, found: &Surroundings) -> Result<String, SourceError> {
        if let Some(region) = self.settings.region.as_ref().or(found.region.as_ref()) {
            return Ok(region.clone());
        }
        let instance = found.ask_the_instance(self.loader(found, &Agent::default())).load().await;
        let region = instance.region().ok_or_else(error::no_region)?;
        check_region(region.as_ref()).map_err(|_| error::no_region())
    }

    fn loader(&self, found: &Surroundings, agent: &Agent) -> ConfigLoader {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http::client(found.authorities.clone(), agent.clone()));
        // What is not set here may be set in the environment or the profile.
        if self.settings.use_fips_endpoint {
            loader = loader.use_fips(true);
        }
        if self.settings.use_dualstack_endpoint {
            loader = loader.use_dual_stack(true);
        }
        loader
    }

    async fn credentials(
        &self,
        found: &SdkConfig,
        printed: Option<&PrintedCredentials>,
        clues: Clues,
    ) -> Option<SharedCredentialsProvider> {
        let own = match printed {
            Some(printed) => Some(printed.provider(found).await),
            None => self.credentials.clone().or_else(|| found.credentials_provider()),
        };
        let own = SharedCredentialsProvider::new(Remembering::new(own?, clues));
        let Some(role) = &self.settings.role_arn else { return Some(own) };
        let session = self.settings.role_session_name.as_deref().unwrap_or(SESSION);
        let mut assumed = AssumeRoleProvider::builder(role).session_name(session).configure(found);
        if let Some(id) = &self.settings.external_id {
            assumed = assumed.external_id(id);
        }
        let assumed = assumed.build_from_provider(own).await;
        Some(SharedCredentialsProvider::new(Remembering::new(
            SharedCredentialsProvider::new(assumed),
            Clues::default(),
        )))
    }
}

/// Returns what something is called in a region: a replica of what has an ARN in the first region, `home`, has an ARN of its
/// own.
pub(crate) fn in_region(name: &str, arn_region: Option<&str>, home: &str, region: &str) -> String {
    match arn_region {
        Some(named) if named == home => name.replacen(&format!(":{home}:"), &format!(":{region}:"), 1),
        _ => name.to_owned(),
    }
}

/// Returns the time-outs of a call that must be at its end by then, all retries included.
pub(crate) fn timeouts(until: Instant) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(until.saturating_duration_since(Instant::now()))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_of_the_first_region_is_one_of_the_region_that_is_asked() {
        let arn = "arn:aws:ssm:eu-west-1:1:parameter/eu-west-1/a";
        let there = "arn:aws:ssm:us-east-1:1:parameter/eu-west-1/a";
        assert_eq!(in_region(arn, Some("eu-west-1"), "eu-west-1", "us-east-1"), there);
        assert_eq!(in_region(arn, Some("eu-west-1"), "eu-central-1", "us-east-1"), arn);
        assert_eq!(in_region("/eu-west-1/a", None, "eu-west-1", "us-east-1"), "/eu-west-1/a");
    }
}
