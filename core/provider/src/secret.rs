//! A value that cannot be printed.

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};

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
}

impl Secret {
    /// Takes the bytes of a secret.
    ///
    /// A `Vec<u8>` or a `String` is moved, not copied; from a borrowed text or slice a copy is made, and wiping the
    /// original is up to the caller.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: SecretBox::new(Box::new(bytes.into())), revision: None, origin: None }
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
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("revision", &self.revision)
            .field("origin", &self.origin)
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
            r#"Secret { revision: Some("r1"), origin: Some("eu-west-1"), .. }"#
        );
    }
}
