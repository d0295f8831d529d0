//! A value that cannot be printed.

use std::fmt;
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretBox};

use crate::held::default_renewal;

/// The exact bytes of one secret, and what the store says about them.
///
/// Dropping it overwrites the bytes. `Debug` leaves them out, and only [`expose_secret`](Self::expose_secret) returns them.
/// There is no `Clone`, `Display` or `PartialEq`.
///
/// ```
/// use secretdir_provider::Secret;
///
/// let secret = Secret::new("hunter2").with_revision("3");
/// assert_eq!(secret.expose_secret(), b"hunter2");
/// assert!(!format!("{secret:?}").contains("hunter2"));
/// ```
pub struct Secret {
    bytes: SecretBox<Vec<u8>>,
    revision: Option<String>,
    origin: Option<String>,
    validity: Validity,
    renew_at: Option<SystemTime>,
    lease: Option<String>,
}

/// How long a secret is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Validity {
    /// The store names no end.
    Unknown,
    /// For so long after it arrives, which has not happened yet.
    For(Duration),
    Until(SystemTime),
    /// From its arrival to its end.
    Between(SystemTime, SystemTime),
}

impl Secret {
    /// Takes the bytes of a secret.
    ///
    /// A `Vec<u8>` or a `String` is moved, not copied. A borrowed text or slice is copied; you must wipe the original
    /// yourself.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: SecretBox::new(Box::new(bytes.into())),
            revision: None,
            origin: None,
            validity: Validity::Unknown,
            renew_at: None,
            lease: None,
        }
    }

    /// Adds the store's own name for this version of the secret. `status` shows it, so never use a hash of the value.
    #[must_use]
    pub fn with_revision(mut self, revision: impl Into<String>) -> Self {
        self.revision = Some(revision.into());
        self
    }

    /// Adds the origin of the answer, such as a region. `status` shows it.
    #[must_use]
    pub fn with_origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// Sets how long the secret is valid after it arrives, for a lease or a token. Prefer it to a date of the store, whose clock
    /// may differ.
    #[must_use]
    pub fn with_valid_for(self, life: Duration) -> Self {
        Self { validity: Validity::For(life), ..self }
    }

    /// Sets until when the secret is valid, for a certificate.
    #[must_use]
    pub fn with_valid_until(self, end: SystemTime) -> Self {
        Self { validity: Validity::Until(end), ..self }
    }

    /// Sets when the secret should be renewed. The default is after two thirds of its life.
    #[must_use]
    pub fn with_renew_at(self, renew_at: SystemTime) -> Self {
        Self { renew_at: Some(renew_at), ..self }
    }

    /// Adds the store's ID of the lease, for [`refresh`](crate::SecretSource::refresh) and
    /// [`release`](crate::SecretSource::release). Only the publisher can read the note that it is kept in. It must not be a
    /// credential. It must stay the same while the lease lives, because the engine identifies the lease by it.
    #[must_use]
    pub fn with_lease(self, lease: impl Into<String>) -> Self {
        Self { lease: Some(lease.into()), ..self }
    }

    /// Sets when the secret arrived. If it is valid [for a time](Self::with_valid_for), that time starts then. The engine calls
    /// this when an answer is put.
    #[must_use]
    pub fn arrived_at(self, moment: SystemTime) -> Self {
        let validity = match self.validity {
            Validity::For(life) => match moment.checked_add(life) {
                Some(end) => Validity::Between(moment, end),
                // No date is so late.
                None => Validity::Unknown,
            },
            Validity::Until(end) => Validity::Between(moment, end),
            settled => settled,
        };
        Self { validity, ..self }
    }

    /// Returns the bytes. Search for this name to find every use of a value.
    pub fn expose_secret(&self) -> &[u8] {
        self.bytes.expose_secret()
    }

    /// Returns the store's own name for this version.
    pub fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    /// Returns the origin of the answer.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Returns until when the secret is valid: none if that is not known, or if it has not [arrived](Self::arrived_at) yet.
    pub fn valid_until(&self) -> Option<SystemTime> {
        match self.validity {
            Validity::Until(end) | Validity::Between(_, end) => Some(end),
            Validity::Unknown | Validity::For(_) => None,
        }
    }

    /// Returns when the secret should be renewed: none if it has no end, or has not arrived yet.
    pub fn renew_at(&self) -> Option<SystemTime> {
        self.renew_at.or_else(|| match self.validity {
            Validity::Between(begin, end) => default_renewal(begin, end),
            _ => None,
        })
    }

    /// Returns the store's ID of the lease.
    pub fn lease(&self) -> Option<&str> {
        self.lease.as_deref()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("revision", &self.revision)
            .field("origin", &self.origin)
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_moved_not_copied() {
        let bytes = Vec::from("canary");
        let address = bytes.as_ptr();
        assert_eq!(Secret::new(bytes).expose_secret().as_ptr(), address);
    }

    #[test]
    fn debug_is_an_allow_list() {
        let secret = Secret::new("canary").with_revision("r1").with_origin("eu-west-1");
        assert_eq!(
            format!("{secret:?}"),
            r#"Secret { revision: Some("r1"), origin: Some("eu-west-1"), validity: Unknown, .. }"#
        );
    }

    #[test]
    fn a_life_begins_when_the_secret_arrives() {
        let (hour, now) = (Duration::from_secs(3600), SystemTime::UNIX_EPOCH);
        let secret = Secret::new("x").with_valid_for(hour);
        assert_eq!((secret.valid_until(), secret.renew_at()), (None, None));
        let secret = secret.arrived_at(now);
        assert_eq!((secret.valid_until(), secret.renew_at()), (Some(now + hour), Some(now + hour * 2 / 3)));
        // It arrives once.
        assert_eq!(secret.arrived_at(now + hour).valid_until(), Some(now + hour));
        assert_eq!(Secret::new("x").with_valid_for(Duration::MAX).arrived_at(now).valid_until(), None);
        assert_eq!(Secret::new("x").with_renew_at(now).arrived_at(now).renew_at(), Some(now));
    }
}
