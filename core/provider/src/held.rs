//! What is published already of a secret that was made for us, such as a database user with a lease.

use std::time::{Duration, SystemTime};

use crate::Secret;

/// What is known of a secret that an earlier run has published: never its value.
///
/// The engine notes it beside the generation, and gives it back to the source that answered:
/// [`SecretSource::refresh`](crate::SecretSource::refresh). Nothing else remembers it.
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

/// What a source says of a secret that is held.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refreshed {
    /// What is published stays good: until the moment that this says, which may be a later one than before.
    Keep(Held),
    /// It is replaced.
    New(Secret),
}

impl Held {
    /// Begins with nothing but the moment at which a secret arrived.
    pub fn since(obtained_at: SystemTime) -> Self {
        Self { obtained_at, valid_until: None, renew_at: None, revision: None, origin: None, lease: None }
    }

    /// Says of a secret, which arrived at a moment, all but its value.
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

    /// Sets until when it is good.
    #[must_use]
    pub fn with_valid_until(self, valid_until: SystemTime) -> Self {
        Self { valid_until: Some(valid_until), ..self }
    }

    /// Sets from when on the source is to be asked for it again.
    #[must_use]
    pub fn with_renew_at(self, renew_at: SystemTime) -> Self {
        Self { renew_at: Some(renew_at), ..self }
    }

    /// Sets the store's own name for the version.
    #[must_use]
    pub fn with_revision(self, revision: impl Into<String>) -> Self {
        Self { revision: Some(revision.into()), ..self }
    }

    /// Sets where the answer came from.
    #[must_use]
    pub fn with_origin(self, origin: impl Into<String>) -> Self {
        Self { origin: Some(origin.into()), ..self }
    }

    /// Sets what the store calls the lease.
    #[must_use]
    pub fn with_lease(self, lease: impl Into<String>) -> Self {
        Self { lease: Some(lease.into()), ..self }
    }

    /// Returns when it arrived.
    pub fn obtained_at(&self) -> SystemTime {
        self.obtained_at
    }

    /// Returns until when it is good; none if the store has said nothing of that.
    pub fn valid_until(&self) -> Option<SystemTime> {
        self.valid_until
    }

    /// Returns from when on the source is to be asked for it again: what the source has said, or when two thirds of its life are
    /// over. None if it has no end.
    pub fn renew_at(&self) -> Option<SystemTime> {
        self.renew_at.or_else(|| default_renewal(self.obtained_at, self.valid_until?))
    }

    /// Returns the store's own name for the version.
    pub fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    /// Returns where the answer came from.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Returns what the store calls the lease.
    pub fn lease(&self) -> Option<&str> {
        self.lease.as_deref()
    }
}

/// Returns when two thirds of a life are over.
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
