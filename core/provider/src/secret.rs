//! A value that cannot be printed.

use std::fmt;
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretBox};

use crate::held::default_renewal;

/// The exact bytes of one secret, with what the store says about them.
///
/// The bytes are overwritten when the value is dropped, left out of `Debug`, and read only through
/// [`expose_secret`](Self::expose_secret). There is no `Clone`, `Display` or `PartialEq`.
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

/// How long a secret is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Validity {
    /// The store says nothing of an end.
    Unknown,
    /// For so long from when it arrives, which is not known yet.
    For(Duration),
    Until(SystemTime),
    /// For so long from when it arrived.
    Between(SystemTime, SystemTime),
}

impl Secret {
    /// Takes the bytes of a secret.
    ///
    /// A `Vec<u8>` or a `String` is moved, not copied; from a borrowed text or slice a copy is made, and wiping the
    /// original is up to the caller.
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

    /// Adds the store's own name for this version of the secret. Shown by `status`: never a hash of the value.
    #[must_use]
    pub fn with_revision(mut self, revision: impl Into<String>) -> Self {
        self.revision = Some(revision.into());
        self
    }

    /// Adds where the answer came from, such as a region. Shown by `status`.
    #[must_use]
    pub fn with_origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// Says for how long it is good, counted from when it arrives: a lease, or a token. Better than a date of the store, whose
    /// clock may differ.
    #[must_use]
    pub fn with_valid_for(self, life: Duration) -> Self {
        Self { validity: Validity::For(life), ..self }
    }

    /// Says until when it is good: a certificate.
    #[must_use]
    pub fn with_valid_until(self, end: SystemTime) -> Self {
        Self { validity: Validity::Until(end), ..self }
    }

    /// Says from when on the source wants to be asked for it again. By default that is when two thirds of its life are over.
    #[must_use]
    pub fn with_renew_at(self, renew_at: SystemTime) -> Self {
        Self { renew_at: Some(renew_at), ..self }
    }

    /// Adds what the store calls the lease: what [`refresh`](crate::SecretSource::refresh) and
    /// [`release`](crate::SecretSource::release) need of it. It is noted where only the publisher can read it, and is no
    /// credential by itself. It stays the same for as long as the lease lives: the engine knows the lease by it.
    #[must_use]
    pub fn with_lease(self, lease: impl Into<String>) -> Self {
        Self { lease: Some(lease.into()), ..self }
    }

    /// Says when it arrived: what is good [for a time](Self::with_valid_for) is good from then on. The engine calls this when an
    /// answer is put.
    #[must_use]
    pub fn arrived_at(self, moment: SystemTime) -> Self {
        let validity = match self.validity {
            Validity::For(life) => match moment.checked_add(life) {
                Some(end) => Validity::Between(moment, end),
                // Beyond all dates.
                None => Validity::Unknown,
            },
            Validity::Until(end) => Validity::Between(moment, end),
            settled => settled,
        };
        Self { validity, ..self }
    }

    /// Returns the bytes. Every use of a secret's value goes through this name.
    pub fn expose_secret(&self) -> &[u8] {
        self.bytes.expose_secret()
    }

    /// Returns the store's own name for this version.
    pub fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    /// Returns where the answer came from.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Returns until when it is good; none if that is not known, or if it has not [arrived](Self::arrived_at) yet.
    pub fn valid_until(&self) -> Option<SystemTime> {
        match self.validity {
            Validity::Until(end) | Validity::Between(_, end) => Some(end),
            Validity::Unknown | Validity::For(_) => None,
        }
    }

    /// Returns from when on the source is to be asked for it again; none if it has no end, or has not arrived yet.
    pub fn renew_at(&self) -> Option<SystemTime> {
        self.renew_at.or_else(|| match self.validity {
            Validity::Between(begin, end) => default_renewal(begin, end),
            _ => None,
        })
    }

    /// Returns what the store calls the lease.
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
