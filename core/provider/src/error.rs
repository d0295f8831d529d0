//! Why a secret could not be fetched.

use std::error::Error;
use std::fmt;
use std::time::Duration;

type Cause = Box<dyn Error + Send + Sync>;

/// Why a secret could not be fetched: a kind, the cause, whether trying again can help, and a hint.
///
/// `Display` gives the kind alone; the cause is the error's [`source`](Error::source), so that whoever prints the chain
/// says each thing once. Neither a cause nor a hint may hold a value or any part of one.
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

/// What went wrong, as far as an operator acts differently on it.
///
/// `Display` gives the words that begin an error.
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
    /// The store was asked, and has no such secret, or no such version of it.
    ///
    /// What is optional is then left out, and what has a default gets it. A store that is not there has not been asked:
    /// it is [`Unavailable`](Self::Unavailable), or a wrong path would quietly replace values by defaults.
    NotFound,
    /// The store knows who asks and refuses this secret.
    PermissionDenied,
    /// The store does not accept who asks: no credentials, wrong ones, or expired ones.
    Unauthenticated,
    /// The store asks for fewer requests.
    Throttled,
    /// The store is not there, cannot be reached, or says that it cannot answer now.
    Unavailable,
    /// The store did not answer in time.
    TimedOut,
    /// The request can never be answered: a name or version that is not well formed.
    InvalidRequest,
    /// The store answered with something that is not a secret: a damaged reply, a directory.
    InvalidData,
    /// The store, or this provider, cannot do what is asked.
    Unsupported,
    /// None of the above.
    Other,
}

/// Whether the engine should ask again.
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
    /// Asking again cannot help, or a layer below has done so already.
    #[default]
    No,
    /// Asking again can help, at the earliest after this time; zero leaves the pause to the engine.
    After(Duration),
}

impl SourceError {
    /// Makes an error of this kind, without retry, hint or cause.
    pub fn new(kind: SourceErrorKind) -> Self {
        Self { kind, retry: Retry::No, hint: None, cause: None }
    }

    /// Reports that a source ended without an answer to a request: a mistake in the provider, or a damaged reply.
    pub fn unanswered() -> Self {
        Self::new(SourceErrorKind::Other).with_cause("the provider gave no answer to this request")
    }

    /// Adds the cause: an error, or a text.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds what a person can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says whether, and when, asking again can help.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Returns what went wrong.
    pub fn kind(&self) -> SourceErrorKind {
        self.kind
    }

    /// Returns whether asking again can help.
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// Returns what a person can do about it.
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
