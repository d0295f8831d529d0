//! One entry of a listing.

/// One secret of a listing: the name that [`fetch`](crate::SecretSource::fetch) takes and, if the store tells it, the
/// revision.
///
/// ```
/// use secretdir_provider::Listed;
///
/// let listed = Listed::new("app/db").with_revision("3");
/// assert_eq!((listed.name(), listed.revision()), ("app/db", Some("3")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Listed {
    name: String,
    revision: Option<String>,
}

impl Listed {
    /// Makes an entry for the secret with this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), revision: None }
    }

    /// Adds the store's own name for the current version, if the listing has it.
    #[must_use]
    pub fn with_revision(mut self, revision: impl Into<String>) -> Self {
        self.revision = Some(revision.into());
        self
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the store's own name for the current version.
    pub fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    /// Returns the name alone.
    pub fn into_name(self) -> String {
        self.name
    }
}

impl<T: Into<String>> From<T> for Listed {
    fn from(name: T) -> Self {
        Self::new(name)
    }
}
