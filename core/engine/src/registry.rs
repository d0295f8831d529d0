//! The providers that a configuration can name.

use std::collections::BTreeMap;
use std::fmt;

use secretdir_helpers::nearest;
use secretdir_provider::Provider;

use crate::report::{ErrorKind, ErrorReport};

/// The available providers, by name. It is a plain value, so you decide which providers your own command has.
#[derive(Default)]
pub struct Registry {
    providers: BTreeMap<&'static str, Box<dyn Provider>>,
    /// The providers that this command was built without, and the feature that adds each.
    left_out: BTreeMap<&'static str, &'static str>,
}

/// The reason why a provider was not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The name is taken.
    #[error("there are two providers with the name `{0}`")]
    Duplicate(&'static str),
    /// The name is not valid in a configuration.
    #[error(
        "{0:?} is not a valid name for a provider: use lower-case letters, digits and hyphens, with a letter first"
    )]
    InvalidName(&'static str),
}

/// The error for an unknown provider. It lists the known providers, and suggests one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownProvider {
    /// No such provider exists.
    #[error("there is no provider `{name}`{known}")]
    Nowhere {
        /// The name.
        name: String,
        /// A suggestion, and the known providers.
        known: String,
    },
    /// This command was built without it.
    #[error("this command was built without the provider `{name}`; build it with the feature `{feature}`")]
    LeftOut {
        /// The name.
        name: &'static str,
        /// The feature that adds it.
        feature: &'static str,
    },
}

impl From<&RegistryError> for ErrorReport {
    /// The command was built wrongly. There is no separate kind for that.
    fn from(error: &RegistryError) -> Self {
        Self::new(ErrorKind::Usage, error)
    }
}

impl From<&UnknownProvider> for ErrorReport {
    fn from(error: &UnknownProvider) -> Self {
        Self::new(ErrorKind::UnknownProvider, error)
    }
}

impl Registry {
    /// Makes an empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a provider.
    ///
    /// # Errors
    ///
    /// The name is taken, or is not in kebab case. The registry is unchanged then.
    pub fn register(&mut self, provider: Box<dyn Provider>) -> Result<(), RegistryError> {
        let name = provider.name();
        if !is_kebab_case(name) {
            return Err(RegistryError::InvalidName(name));
        }
        if self.providers.contains_key(name) {
            return Err(RegistryError::Duplicate(name));
        }
        self.providers.insert(name, provider);
        Ok(())
    }

    /// Registers the name of a provider that this command was built without, and the feature that adds it.
    pub fn leave_out(&mut self, provider: &'static str, feature: &'static str) {
        self.left_out.insert(provider, feature);
    }

    /// Returns the providers that this command was built without, in the order of their names, and the feature that adds each.
    pub fn left_out(&self) -> impl ExactSizeIterator<Item = (&'static str, &'static str)> {
        self.left_out.iter().map(|(provider, feature)| (*provider, *feature))
    }

    /// Returns the provider of this name.
    pub fn get(&self, name: &str) -> Option<&dyn Provider> {
        self.providers.get(name).map(AsRef::as_ref)
    }

    /// Returns the provider of this name.
    ///
    /// # Errors
    ///
    /// There is no such provider. The error lists the known providers, and suggests the nearest.
    pub fn find(&self, name: &str) -> Result<&dyn Provider, UnknownProvider> {
        self.get(name).ok_or_else(|| match self.left_out.get_key_value(name) {
            Some((name, feature)) => UnknownProvider::LeftOut { name, feature },
            None => UnknownProvider::Nowhere { name: name.to_owned(), known: known(name, self.names()) },
        })
    }

    /// Returns the names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &'static str> {
        self.providers.keys().copied()
    }

    /// Returns the providers, in the order of their names.
    pub fn providers(&self) -> impl ExactSizeIterator<Item = &dyn Provider> {
        self.providers.values().map(AsRef::as_ref)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// Returns the end of a message with a suggestion and the known words.
pub(crate) fn known<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.collect();
    let all = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    match nearest(word, words) {
        _ if all.is_empty() => "; there are none".to_owned(),
        Some(near) => format!("; did you mean `{near}`? known: {all}"),
        None => format!("; known: {all}"),
    }
}

fn is_kebab_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use secretdir_provider::{SecretSource, Settings, SettingsError};

    use super::*;

    struct Named(&'static str);

    impl Provider for Named {
        fn name(&self) -> &'static str {
            self.0
        }

        fn source(&self, _: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
            Err(SettingsError::new("any", "is not wanted"))
        }
    }

    #[test]
    fn providers_are_found_by_name_and_listed_in_order() {
        let mut registry = Registry::new();
        for name in ["file", "aws-secrets-manager", "env", "x9"] {
            registry.register(Box::new(Named(name))).unwrap();
        }
        assert_eq!(registry.get("env").map(Provider::name), Some("env"));
        assert!(registry.get("Env").is_none());
        assert_eq!(registry.names().collect::<Vec<_>>(), ["aws-secrets-manager", "env", "file", "x9"]);
        assert!(registry.providers().map(Provider::name).eq(registry.names()));
        assert_eq!(format!("{registry:?}"), r#"{"aws-secrets-manager", "env", "file", "x9"}"#);
    }

    #[test]
    fn a_provider_that_was_left_out_is_told_apart_from_one_that_nobody_knows() {
        let mut registry = Registry::new();
        registry.leave_out("vault", "vault");
        let told = |name: &str| registry.find(name).err().unwrap().to_string();
        let left_out =
            "this command was built without the provider `vault`; build it with the feature `vault`";
        assert_eq!(told("vault"), left_out);
        assert_eq!(told("vaultt"), "there is no provider `vaultt`; there are none");
    }

    #[test]
    fn a_name_that_is_taken_or_no_word_is_refused() {
        let mut registry = Registry::new();
        registry.register(Box::new(Named("env"))).unwrap();
        assert_eq!(registry.register(Box::new(Named("env"))), Err(RegistryError::Duplicate("env")));
        for name in ["", "Env", "9x", "-x", "a_b", "a b", "é", "a\n"] {
            assert_eq!(registry.register(Box::new(Named(name))), Err(RegistryError::InvalidName(name)));
        }
        assert_eq!(registry.names().len(), 1);
    }
}
