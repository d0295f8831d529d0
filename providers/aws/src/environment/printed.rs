//! Credentials of a profile with a `credential_process`, and of the roles that profiles assume with them.

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::SharedCredentialsProvider;

use super::profiles::{self, Keys};
use crate::credential_process::CredentialProcess;
use crate::region_clients::SESSION;

/// Keys of a profile that take precedence over its `credential_process`.
const BEFORE: [&str; 5] =
    ["role_arn", "web_identity_token_file", "credential_source", "sso_session", "sso_start_url"];

/// The program that prints the credentials, and the roles that are assumed with them, in this order.
pub(crate) struct PrintedCredentials {
    pub(crate) process: CredentialProcess,
    roles: Vec<Role>,
}

struct Role {
    arn: String,
    external_id: Option<String>,
    session: Option<String>,
}

impl PrintedCredentials {
    /// Takes the requested profile and those that it builds on. Returns none if they lead to other credentials.
    pub(super) fn of(chain: &[(String, Keys)]) -> Option<Self> {
        let ((name, base), above) = chain.split_last()?;
        let process = base.get("credential_process")?;
        if BEFORE.iter().any(|key| base.contains_key(*key)) || has_stored_key(base) {
            return None;
        }
        // A profile in between with a key of its own ends the chain.
        let between = above.get(1..).unwrap_or_default();
        if between.iter().any(|(_, keys)| keys.contains_key("aws_access_key_id")) {
            return None;
        }
        let roles = above.iter().rev().map(|(_, keys)| Role::of(keys)).collect::<Option<Vec<_>>>()?;
        let place = format!("the profile `{name}` ({process})");
        Some(Self { process: CredentialProcess::new(profiles::words(&process.value), place), roles })
    }

    /// Returns the provider of the last role's credentials.
    pub(crate) async fn provider(&self, found: &SdkConfig) -> SharedCredentialsProvider {
        let mut provider = SharedCredentialsProvider::new(self.process.clone());
        for role in &self.roles {
            let session = role.session.as_deref().unwrap_or(SESSION);
            let mut assumed = AssumeRoleProvider::builder(&role.arn).session_name(session).configure(found);
            if let Some(id) = &role.external_id {
                assumed = assumed.external_id(id);
            }
            provider = SharedCredentialsProvider::new(assumed.build_from_provider(provider).await);
        }
        provider
    }
}

/// Returns whether a profile has a key in `~/.aws/credentials`. boto3 looks for one before it starts a program.
fn has_stored_key(keys: &Keys) -> bool {
    keys.get("aws_access_key_id").is_some_and(profiles::Key::is_of_credentials)
}

impl Role {
    fn of(keys: &Keys) -> Option<Self> {
        if keys.contains_key("web_identity_token_file") {
            return None;
        }
        let text = |name: &str| keys.get(name).map(|key| key.value.clone());
        Some(Self {
            arn: text("role_arn")?,
            external_id: text("external_id"),
            session: text("role_session_name"),
        })
    }
}
