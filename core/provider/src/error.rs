//! Why a secret could not be fetched.

use std::error::Error;
use std::fmt;
use std::time::Duration;

type Cause = Box<dyn Error + Send + Sync>;

/// The reason why a secret could not be fetched: a kind, a cause, retry advice and a hint.
///
/// `Display` prints only the kind. The cause is the error's [`source`](Error::source), so a printed chain says each thing
/// once. Neither the cause nor the hint may contain a value or any part of one.
///
/// ```
/// use std::error::Error;
/// use secretdir_provider::{SourceError, SourceErrorKind};
///
/// let error = SourceError::new(SourceErrorKind::NotFound)
///     .with_cause("the store has no secret of this name in eu-west-1")
///     .with_hint("is the region right?");
/// assert_eq!(error.to_string(), "not found");
/// assert_eq!(error.source().unwrap().to_string(), "the store has no secret of this name in eu-west-1");
/// ```
#[derive(Debug)]
pub struct SourceError {
    kind: SourceErrorKind,
    retry: Retry,
    hint: Option<String>,
    cause: Option<Cause>,
}

/// The kind of an error. Kinds differ where an operator would act differently.
///
/// `Display` prints the first words of an error message.
///
/// ```
/// use secretdir_provider::SourceErrorKind;
///
/// let kind = |status| match status {
///     401 => SourceErrorKind::Unauthenticated,
///     403 => SourceErrorKind::PermissionDenied,
///     404 => SourceErrorKind::NotFound,
///     429 => SourceErrorKind::Throttled,
///     500..=599 => SourceErrorKind::Unavailable,
///     _ => SourceErrorKind::Other,
/// };
/// assert_eq!(kind(403).to_string(), "permission denied");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// The store answered, and has no such secret, or no such version of it.
    ///
    /// The run then leaves out an optional file, or uses its default. If the store itself is missing, use
    /// [`Unavailable`](Self::Unavailable). Otherwise a wrong path would silently replace values by defaults.
    NotFound,
    /// The store knows the caller and refuses this secret.
    PermissionDenied,
    /// The store does not accept the credentials: they are missing, wrong or expired.
    Unauthenticated,
    /// The store throttles the requests.
    Throttled,
    /// The store does not exist, cannot be reached, or cannot answer now.
    Unavailable,
    /// The store did not answer in time.
    TimedOut,
    /// The name or version is not well formed, so the request can never succeed.
    InvalidRequest,
    /// The answer of the store is not a secret: it is damaged, or a directory.
    InvalidData,
    /// The store or the provider does not support the request.
    Unsupported,
    /// None of the above.
    Other,
}

/// Whether the engine should retry.
///
/// ```
/// use std::time::Duration;
/// use secretdir_provider::{Retry, SourceError, SourceErrorKind};
///
/// // The store said `Retry-After: 2`.
/// let error = SourceError::new(SourceErrorKind::Throttled).with_retry(Retry::After(Duration::from_secs(2)));
/// assert_eq!(error.retry(), Retry::After(Duration::from_secs(2)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Retry {
    /// A retry cannot help, or a layer below has already retried.
    #[default]
    No,
    /// A retry can help, at the earliest after this time. Zero leaves the backoff to the engine.
    After(Duration),
}

impl SourceError {
    /// Makes an error of this kind, without retry, hint or cause.
    pub fn new(kind: SourceErrorKind) -> Self {
        Self { kind, retry: Retry::No, hint: None, cause: None }
    }

    /// Makes the error for a request that a source did not answer: a mistake in the provider, or a damaged reply.
    pub fn unanswered() -> Self {
        Self::new(SourceErrorKind::Other).with_cause("the provider gave no answer to this request")
    }

    /// Adds the cause: an error, or a text.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds a hint: what a person can do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the retry advice.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Returns the kind.
    pub fn kind(&self) -> SourceErrorKind {
        self.kind
    }

    /// Returns the retry advice.
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// Returns the hint.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl Error for SourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

impl fmt::Display for SourceErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "not found",
            Self::PermissionDenied => "permission denied",
            Self::Unauthenticated => "unauthenticated",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed out",
            Self::InvalidRequest => "invalid request",
            Self::InvalidData => "invalid data",
            Self::Unsupported => "unsupported",
            Self::Other => "failed",
        })
    }
}
