//! The SDK's configuration for each region of a source: the endpoint and the credentials.

use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use secretdir_provider::{Clock, Deadline, SourceError};

use crate::credential_process::CredentialProcess;
use crate::credentials::{CachingProvider, ErrorDetails};
use crate::environment::{AwsEnvironment, PrintedCredentials, check_region, readable};
use crate::http::Agent;
use crate::settings::AwsSettings;
use crate::{error, http};

/// The time-out for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The time-out for one attempt of a call. These services answer in well under a second. If an attempt hangs, there is
/// time for another one.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// The session name, if the settings have none.
pub(crate) const SESSION: &str = "secretdir";

/// The regions of one source, with their shared configuration: the first one and the failover regions.
pub(crate) struct RegionClients {
    config: SdkConfig,
    home: String,
    process: Option<CredentialProcess>,
    failover: Vec<String>,
    endpoint_url: Option<String>,
}

/// The configuration of a source, and credentials that the SDK need not look for.
pub(crate) struct ClientConfig {
    pub(crate) settings: AwsSettings,
    pub(crate) credentials: Option<SharedCredentialsProvider>,
}

/// The configuration of one region.
pub(crate) struct RegionClient {
    pub(crate) region: String,
    /// The first region of the source.
    pub(crate) home: String,
    pub(crate) endpoint_url: Option<String>,
    pub(crate) config: SdkConfig,
    /// The program that prints the credentials, if there is one. It must be refreshed before they are needed.
    pub(crate) process: Option<CredentialProcess>,
}

impl RegionClients {
    /// Returns the region with this number; 0 is the first region.
    pub(crate) fn of(&self, number: usize) -> RegionClient {
        let failover = number.checked_sub(1).and_then(|number| self.failover.get(number));
        let region = failover.unwrap_or(&self.home).clone();
        let endpoint_url = self.endpoint_url.as_ref().map(|url| url.replace("{region}", &region));
        let config = self.config.to_builder().region(Region::new(region.clone())).build();
        RegionClient { region, home: self.home.clone(), endpoint_url, config, process: self.process.clone() }
    }
}

impl ClientConfig {
    /// Determines the regions and the credentials. May ask the instance for its region.
    pub(crate) async fn region_clients(
        &self,
        mut found: AwsEnvironment,
        clock: &Clock,
    ) -> Result<RegionClients, SourceError> {
        let printed = found.printed.take().filter(|_| self.credentials.is_none());
        let home = self.region(&found).await?;
        self.tell(&found, &home);
        let agent = Agent::default();
        let config =
            found.configure(self.loader(&found, &agent)).region(Region::new(home.clone())).load().await;
        let clues = ErrorDetails { token_files: found.token_files, agent };
        let credentials = self.credentials(&config, printed.as_ref(), clues, clock).await;
        let mut config = config.into_builder();
        config.set_credentials_provider(credentials);
        Ok(RegionClients {
            config: config.build(),
            home,
            process: printed.map(|printed| printed.process),
            failover: self.settings.failover_region.clone(),
            endpoint_url: self.settings.endpoint_url.clone(),
        })
    }

    /// Logs region, profile and role. None of them is secret.
    fn tell(&self, found: &AwsEnvironment, region: &str) {
        let role = self.settings.role_arn.as_ref().or(found.role.as_ref());
        let profile = found.profile.as_deref().map(readable);
        tracing::debug!(region, profile, role, "signing in");
    }

    /// Returns the region of the settings, the environment, the profile or the instance.
    async fn region(&self, found: &AwsEnvironment) -> Result<String, SourceError> {
        if let Some(region) = self.settings.region.as_ref().or(found.region.as_ref()) {
            return Ok(region.clone());
        }
        let instance = found.ask_the_instance(self.loader(found, &Agent::default())).load().await;
        let region = instance.region().ok_or_else(error::no_region)?;
        check_region(region.as_ref()).map_err(|_| error::no_region())
    }

    fn loader(&self, found: &AwsEnvironment, agent: &Agent) -> ConfigLoader {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http::client(found.authorities.clone(), agent.clone()));
        // Settings that are not set here may be set in the environment or the profile.
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
        clues: ErrorDetails,
        clock: &Clock,
    ) -> Option<SharedCredentialsProvider> {
        let own = match printed {
            Some(printed) => Some(printed.provider(found).await),
            None => self.credentials.clone().or_else(|| found.credentials_provider()),
        };
        let own = SharedCredentialsProvider::new(CachingProvider::new(own?, clues, clock.clone()));
        let Some(role) = &self.settings.role_arn else { return Some(own) };
        let session = self.settings.role_session_name.as_deref().unwrap_or(SESSION);
        let mut assumed = AssumeRoleProvider::builder(role).session_name(session).configure(found);
        if let Some(id) = &self.settings.external_id {
            assumed = assumed.external_id(id);
        }
        let assumed = assumed.build_from_provider(own).await;
        Some(SharedCredentialsProvider::new(CachingProvider::new(
            SharedCredentialsProvider::new(assumed),
            ErrorDetails::default(),
            clock.clone(),
        )))
    }
}

/// Returns the name or ARN of a secret in a region. The ARN in the first region, `home`, is turned into that of the replica.
pub(crate) fn in_region(name: &str, arn_region: Option<&str>, home: &str, region: &str) -> String {
    match arn_region {
        Some(named) if named == home => name.replacen(&format!(":{home}:"), &format!(":{region}:"), 1),
        _ => name.to_owned(),
    }
}

/// Returns the time-outs of a call that must end by `until`, retries included.
pub(crate) fn timeouts(until: &Deadline) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(until.remaining())
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
