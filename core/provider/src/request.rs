//! A request to a source.

/// A request for one secret: its name and, optionally, a version.
///
/// Each provider defines the form of its names and versions, and documents it in its README. Equal requests are fetched once.
///
/// ```
/// use secretdir_provider::SecretRequest;
///
/// let request = SecretRequest::new("app/db").with_version("AWSPREVIOUS");
/// assert_eq!(request.name(), "app/db");
/// assert_eq!(request.version(), Some("AWSPREVIOUS"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretRequest {
    name: String,
    version: Option<String>,
}

impl SecretRequest {
    /// Requests the current version of the secret with this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), version: None }
    }

    /// Requests this version instead of the current one.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Returns the name of the secret, as it is in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the version. `None` means the current one.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}
