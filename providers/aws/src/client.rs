//! The SDK's client of one source.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::SharedHttpClient;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, ConnectorBuilder};

use crate::credentials::{self, Remembering};
use crate::settings::AwsSettings;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one attempt of a call may take. Secrets Manager answers in well under a second; an attempt that hangs
/// leaves time for another.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// How much of the time to the deadline a call leaves, so that its own error comes before the run is cut off.
const RESERVE: Duration = Duration::from_millis(500);

/// Makes a client: reads the environment and AWS's configuration files, and may ask the instance for its region.
pub(crate) async fn connect(
    settings: &AwsSettings,
    credentials: Option<SharedCredentialsProvider>,
) -> Client {
    let http_client = http_client();
    let surroundings = look_around(settings, http_client.clone()).await;
    let of_profile = || {
        let profile = settings.profile.as_deref()?;
        Some(credentials::of_profile(profile, surroundings.region(), http_client))
    };
    let credentials = credentials.or_else(of_profile).or_else(|| surroundings.credentials_provider());
    let mut config = aws_sdk_secretsmanager::config::Builder::from(&surroundings);
    config.set_credentials_provider(
        credentials.map(|found| SharedCredentialsProvider::new(Remembering::new(found))),
    );
    Client::from_conf(config.build())
}

async fn look_around(settings: &AwsSettings, http_client: SharedHttpClient) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http_client);
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader.load().await
}

/// Builds what the SDK builds by default, with ring instead of aws-lc: the machine's certificates, and the proxy that
/// the environment names.
fn http_client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = ConnectorBuilder::default().tls_provider(Provider::Rustls(CryptoMode::Ring));
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    })
}

/// Returns the time-outs of a call that has this long to the deadline, all retries included.
pub(crate) fn timeouts(remaining: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(remaining.saturating_sub(RESERVE.min(remaining / 10)))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_ends_before_the_deadline_however_near_it_is() {
        for (remaining, most) in [(60_000, 59_500), (1_000, 900), (10, 9), (0, 0)] {
            let timeouts = timeouts(Duration::from_millis(remaining));
            assert_eq!(timeouts.operation_timeout(), Some(Duration::from_millis(most)));
        }
    }
}
