//! The providers that a configuration can name.

use std::collections::BTreeMap;
use std::fmt;

use secretdir_helpers::nearest;
use secretdir_provider::Provider;

use crate::report::{ErrorKind, ErrorReport};

/// The providers that there are, by name. A plain value: whoever makes a command of his own decides what is in it.
#[derive(Default)]
pub struct Registry {
    providers: BTreeMap<&'static str, Box<dyn Provider>>,
    /// Those that this command was built without, and the feature that adds each.
    left_out: BTreeMap<&'static str, &'static str>,
}

/// Why a provider was not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is one of this name.
    #[error("there are two providers of the name `{0}`")]
    Duplicate(&'static str),
    /// The name is no word for a configuration.
    #[error("{0:?} cannot be the name of a provider: lower-case letters, digits and hyphens, a letter first")]
    InvalidName(&'static str),
}

/// There is no provider of a name. Says which was meant, and which there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownProvider {
    /// Nobody knows it.
    #[error("there is no provider `{name}`{known}")]
    Nowhere {
        /// The name.
        name: String,
        /// Which was meant, and which there are.
        known: String,
    },
    /// This command was built without it.
    #[error("this command was built without the provider `{name}`: build it with the feature `{feature}`")]
    LeftOut {
        /// The name.
        name: &'static str,
        /// What adds it.
        feature: &'static str,
    },
}

impl From<&RegistryError> for ErrorReport {
    /// The command that somebody has built is at fault, and there is no kind for each way to build one.
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
    /// A name that is taken, or is not kebab-case; the registry is unchanged then.
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

    /// Notes a provider that this command was built without, and the feature that adds it.
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
    /// There is none; the error lists those there are, and the nearest.
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

/// Says which word was meant, and which there are.
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
            "this command was built without the provider `vault`: build it with the feature `vault`";
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
