//! Credentials: where they come from, and a failure that is not repeated for each secret.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};

/// How long loading credentials may take. Less than an attempt of a call, so that the error names the credentials.
const LOAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a failure to load them stands, before they are looked for again.
const MEMORY: Duration = Duration::from_secs(10);

/// Remembers for a while that there are no credentials.
///
/// Looking for them can take a second where the instance metadata service does not answer, and the SDK looks again for
/// each call: many secrets would wait until the deadline, and the true reason would be lost.
#[derive(Debug)]
pub(crate) struct Remembering {
    inner: SharedCredentialsProvider,
    failure: Mutex<Option<Failure>>,
}

#[derive(Clone, Debug)]
struct Failure {
    when: Instant,
    error: Remembered,
}

impl Remembering {
    pub(crate) fn new(inner: SharedCredentialsProvider) -> Self {
        Self { inner, failure: Mutex::default() }
    }

    async fn load(&self) -> provider::Result {
        if let Some(failure) = self.failure() {
            return Err(CredentialsError::provider_error(failure));
        }
        let loaded = tokio::time::timeout(LOAD_TIMEOUT, self.inner.provide_credentials()).await;
        let loaded = loaded.unwrap_or_else(|_| Err(CredentialsError::provider_timed_out(LOAD_TIMEOUT)));
        loaded.and_then(checked).map_err(|error| {
            let error = Remembered(Arc::new(error));
            let failure = Failure { when: Instant::now(), error: error.clone() };
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
            CredentialsError::provider_error(error)
        })
    }

    fn failure(&self) -> Option<Remembered> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        (failure.when.elapsed() < MEMORY).then_some(failure.error)
    }
}

/// Refuses what no header can hold, wherever it comes from: the SDK panics at it.
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

impl ProvideCredentials for Remembering {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.load())
    }
}

/// An error that several calls share.
#[derive(Clone, Debug)]
struct Remembered(Arc<CredentialsError>);

impl fmt::Display for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("credentials could not be loaded")
    }
}

impl Error for Remembered {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Fails, and counts how often it is asked.
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
        let provider = Remembering::new(SharedCredentialsProvider::new(nowhere.clone()));
        for _ in 0..3 {
            let error = provider.provide_credentials().await.unwrap_err();
            let inner = error.source().and_then(Error::source).unwrap().downcast_ref();
            assert!(matches!(inner, Some(CredentialsError::CredentialsNotLoaded(_))), "{error:?}");
        }
        assert_eq!(nowhere.0.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn after_a_while_credentials_are_looked_for_again() {
        let nowhere = Nowhere::default();
        let provider = Remembering::new(SharedCredentialsProvider::new(nowhere.clone()));
        provider.provide_credentials().await.unwrap_err();
        let long_ago = Instant::now().checked_sub(MEMORY).unwrap();
        provider.failure.lock().unwrap().as_mut().unwrap().when = long_ago;
        provider.provide_credentials().await.unwrap_err();
        assert_eq!(nowhere.0.load(Ordering::SeqCst), 2);
    }
}
