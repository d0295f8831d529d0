//! What the engine knows about a published dynamic secret, such as a database user with a lease.

use std::time::{Duration, SystemTime};

use crate::Secret;

/// What the engine knows about a secret that an earlier run has published. It never contains the value.
///
/// The engine stores it beside the generation, and passes it to [`SecretSource::refresh`](crate::SecretSource::refresh) of
/// the same source. There is no other record of it.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use secretdir_provider::{Held, Secret};
///
/// let now = SystemTime::now();
/// let secret = Secret::new("hunter2").with_lease("creds/1").with_valid_for(Duration::from_secs(90));
/// let held = Held::of(&secret.arrived_at(now), now);
/// assert_eq!(held.lease(), Some("creds/1"));
/// assert_eq!(held.valid_until(), Some(now + Duration::from_secs(90)));
/// assert_eq!(held.renew_at(), Some(now + Duration::from_secs(60)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    obtained_at: SystemTime,
    valid_until: Option<SystemTime>,
    renew_at: Option<SystemTime>,
    revision: Option<String>,
    origin: Option<String>,
    lease: Option<String>,
}

/// The answer of a source to [`refresh`](crate::SecretSource::refresh).
#[derive(Debug)]
#[non_exhaustive]
pub enum Refreshed {
    /// The published secret stays valid, possibly until a later moment than before.
    Keep(Held),
    /// This secret replaces the published one.
    New(Secret),
}

impl Held {
    /// Makes one that knows only when the secret arrived.
    pub fn since(obtained_at: SystemTime) -> Self {
        Self { obtained_at, valid_until: None, renew_at: None, revision: None, origin: None, lease: None }
    }

    /// Makes one from a secret and the moment at which it arrived.
    pub fn of(secret: &Secret, obtained_at: SystemTime) -> Self {
        Self {
            valid_until: secret.valid_until(),
            renew_at: secret.renew_at(),
            revision: secret.revision().map(str::to_owned),
            origin: secret.origin().map(str::to_owned),
            lease: secret.lease().map(str::to_owned),
            ..Self::since(obtained_at)
        }
    }

    /// Sets until when the secret is valid.
    #[must_use]
    pub fn with_valid_until(self, valid_until: SystemTime) -> Self {
        Self { valid_until: Some(valid_until), ..self }
    }

    /// Sets when the secret should be renewed.
    #[must_use]
    pub fn with_renew_at(self, renew_at: SystemTime) -> Self {
        Self { renew_at: Some(renew_at), ..self }
    }

    /// Sets the store's own name for the version.
    #[must_use]
    pub fn with_revision(self, revision: impl Into<String>) -> Self {
        Self { revision: Some(revision.into()), ..self }
    }

    /// Sets the origin of the answer.
    #[must_use]
    pub fn with_origin(self, origin: impl Into<String>) -> Self {
        Self { origin: Some(origin.into()), ..self }
    }

    /// Sets the store's ID of the lease.
    #[must_use]
    pub fn with_lease(self, lease: impl Into<String>) -> Self {
        Self { lease: Some(lease.into()), ..self }
    }

    /// Returns when the secret arrived.
    pub fn obtained_at(&self) -> SystemTime {
        self.obtained_at
    }

    /// Returns until when the secret is valid: none if the store has named no end.
    pub fn valid_until(&self) -> Option<SystemTime> {
        self.valid_until
    }

    /// Returns when the secret should be renewed: the moment that the source has set, or after two thirds of its life. It is none if
    /// the secret has no end.
    pub fn renew_at(&self) -> Option<SystemTime> {
        self.renew_at.or_else(|| default_renewal(self.obtained_at, self.valid_until?))
    }

    /// Returns the store's own name for the version.
    pub fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    /// Returns the origin of the answer.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Returns the store's ID of the lease.
    pub fn lease(&self) -> Option<&str> {
        self.lease.as_deref()
    }
}

/// Returns the end of two thirds of a life.
pub(crate) fn default_renewal(from: SystemTime, until: SystemTime) -> Option<SystemTime> {
    let life = until.duration_since(from).unwrap_or(Duration::ZERO);
    until.checked_sub(life / 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_for_again_when_two_thirds_are_over_unless_the_source_says_when() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let later = |seconds| now + Duration::from_secs(seconds);
        let held = Held::since(now);
        assert_eq!(held.renew_at(), None);
        let held = held.with_valid_until(later(300));
        assert_eq!(held.renew_at(), Some(later(200)));
        assert_eq!(held.with_renew_at(later(7)).renew_at(), Some(later(7)));
        // It was over before it came.
        assert_eq!(Held::since(later(9)).with_valid_until(later(3)).renew_at(), Some(later(3)));
    }
}
