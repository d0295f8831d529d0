//! Loads credentials, and remembers a failure so that it is not repeated for each secret.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_secretsmanager::error::ConnectorError;
use secretdir_provider::Clock;
use tokio::time::sleep;

use crate::environment::TokenFile;
use crate::http::{Agent, Refusal};

/// The time limit for loading credentials. It is shorter than that of a call's attempt, so that the error names the
/// credentials.
const LOAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The shortest and the longest wait for an agent that throttles. The wait counts towards that limit.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Remembers that there are no credentials, until the clients are discarded.
///
/// The search can take a second if the instance metadata service does not answer, and the SDK repeats it for each call.
/// Many secrets would then wait until the deadline, and the real cause would be lost.
#[derive(Debug)]
pub(crate) struct CachingProvider {
    inner: SharedCredentialsProvider,
    clues: ErrorDetails,
    clock: Clock,
    failure: Mutex<Option<SharedError>>,
    /// The last refusal of a throttling agent. The lock is held during a search for credentials.
    throttled: tokio::sync::Mutex<Option<Throttled>>,
}

/// Details of a failure that the SDK does not report.
#[derive(Debug, Default)]
pub(crate) struct ErrorDetails {
    pub(crate) token_files: Vec<TokenFile>,
    pub(crate) agent: Agent,
}

impl ErrorDetails {
    /// Replaces an error if its cause is known: a token file that cannot be read, or a refusal by the agent of a container.
    fn explain(&self, error: CredentialsError) -> CredentialsError {
        let chain = || chain(&error);
        // A connection error also has an I/O error as its cause.
        if chain().any(<dyn Error>::is::<io::Error>)
            && !chain().any(<dyn Error>::is::<ConnectorError>)
            && let Some(trouble) = self.token_files.iter().find_map(TokenFile::trouble)
        {
            return CredentialsError::provider_error(trouble);
        }
        // With this text, the SDK says that an agent answered, and no more.
        let is_of_an_agent = chain().any(|error| error.to_string().contains("from HTTP credential provider"));
        match self.agent.take().filter(|_| is_of_an_agent) {
            Some(refusal) => CredentialsError::provider_error(refusal),
            None => error,
        }
    }
}

/// The refusal of a throttling agent: when it came, and until when the agent is not asked again.
#[derive(Debug)]
struct Throttled {
    when: Duration,
    until: Duration,
    error: SharedError,
}

impl CachingProvider {
    pub(crate) fn new(inner: SharedCredentialsProvider, clues: ErrorDetails, clock: Clock) -> Self {
        Self { inner, clues, clock, failure: Mutex::default(), throttled: tokio::sync::Mutex::default() }
    }

    async fn load(&self) -> provider::Result {
        let arrived = self.clock.now();
        // One search at a time. If it fails, all callers that waited get its error.
        let mut throttled = self.throttled.lock().await;
        if let Some(failure) = self.failure() {
            return Err(CredentialsError::provider_error(failure));
        }
        if let Some(refused) = throttled.as_ref().filter(|refused| arrived < refused.when) {
            return Err(CredentialsError::provider_error(refused.error.clone()));
        }
        let until = throttled.take().map(|refused| refused.until);
        let look = async {
            if let Some(until) = until {
                sleep(until.saturating_sub(self.clock.now())).await;
            }
            self.inner.provide_credentials().await
        };
        let loaded = tokio::time::timeout(LOAD_TIMEOUT, look).await;
        let loaded = loaded.unwrap_or_else(|_| Err(CredentialsError::provider_timed_out(LOAD_TIMEOUT)));
        let loaded = loaded.and_then(checked).inspect(tell);
        loaded.map_err(|error| {
            let error = SharedError(Arc::new(self.clues.explain(error)));
            if error.throttling().is_some() {
                // The run retries, within its budget.
                let when = self.clock.now();
                let until = when + pause(&error, self.clock.date());
                *throttled = Some(Throttled { when, until, error: error.clone() });
            } else {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
            }
            CredentialsError::provider_error(error)
        })
    }

    fn failure(&self) -> Option<SharedError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Returns the wait after a refusal: as long as the agent asks for, within limits. `now` is the current date.
fn pause(refused: &SharedError, now: SystemTime) -> Duration {
    let asked_for = refused.throttling().and_then(|refusal| refusal.retry_after(now));
    asked_for.unwrap_or_default().clamp(SHORTEST_PAUSE, MAX_BACKOFF)
}

fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Logs the origin and the account of credentials.
fn tell(credentials: &Credentials) {
    let features = credentials.get_property::<Vec<AwsCredentialFeature>>();
    let from = features.and_then(|features| features.last()).map_or("a program", named);
    let account = credentials.account_id().map(|account| account.as_str());
    tracing::debug!(from, account, "credentials");
}

/// Names the origin of credentials. The SDK has more names than can occur here.
fn named(feature: &AwsCredentialFeature) -> &'static str {
    use AwsCredentialFeature as Feature;
    match feature {
        Feature::CredentialsEnvVars => "environment",
        Feature::CredentialsStsAssumeRole => "assumed role",
        Feature::CredentialsEnvVarsStsWebIdToken
        | Feature::CredentialsProfileStsWebIdToken
        | Feature::CredentialsStsAssumeRoleWebId => "web identity",
        Feature::CredentialsProfileSso | Feature::CredentialsSso => "sso",
        Feature::CredentialsProfile
        | Feature::CredentialsProfileSourceProfile
        | Feature::CredentialsProfileNamedProvider => "profile",
        Feature::CredentialsHttp => "container",
        Feature::CredentialsImds => "instance",
        Feature::CredentialsProcess | Feature::CredentialsProfileProcess => "credential process",
        _ => "elsewhere",
    }
}

/// Refuses credentials that no header can hold, whatever their origin. The SDK panics at them.
fn checked(credentials: Credentials) -> provider::Result {
    let can_be_sent = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    let refused =
        |what: &str| Err(CredentialsError::invalid_configuration(format!("the {what} cannot be sent")));
    if !can_be_sent(credentials.access_key_id()) {
        return refused("access key id that was given");
    }
    if !credentials.session_token().is_none_or(can_be_sent) {
        return refused("session token that was given");
    }
    Ok(credentials)
}

impl ProvideCredentials for CachingProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.load())
    }
}

/// An error that several calls share.
#[derive(Clone, Debug)]
struct SharedError(Arc<CredentialsError>);

impl SharedError {
    /// Returns the refusal, if an agent throttled.
    fn throttling(&self) -> Option<&Refusal> {
        chain(&*self.0)
            .find_map(|error| error.downcast_ref::<Refusal>())
            .filter(|refusal| refusal.is_throttling())
    }
}

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("credentials could not be loaded")
    }
}

impl Error for SharedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Fails, and counts its calls.
    #[derive(Clone, Debug, Default)]
    struct Nowhere(Arc<AtomicUsize>);

    impl ProvideCredentials for Nowhere {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            self.0.fetch_add(1, Ordering::SeqCst);
            future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("nowhere")))
        }
    }

    #[tokio::test]
    async fn a_failure_is_remembered_with_its_cause() {
        let nowhere = Nowhere::default();
        let provider = CachingProvider::new(
            SharedCredentialsProvider::new(nowhere.clone()),
            ErrorDetails::default(),
            Clock::default(),
        );
        for _ in 0..3 {
            let error = provider.provide_credentials().await.unwrap_err();
            let inner = error.source().and_then(Error::source).unwrap().downcast_ref();
            assert!(matches!(inner, Some(CredentialsError::CredentialsNotLoaded(_))), "{error:?}");
        }
        assert_eq!(nowhere.0.load(Ordering::SeqCst), 1);
    }
}
