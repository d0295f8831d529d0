//! Answers requests from the environment.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use secretdir_provider::{
    Listed, RunContext, Secret, SecretRequest, SecretSource, SourceError, SourceErrorKind, async_trait,
};

use crate::environment::Environment;

pub(crate) struct EnvSource {
    environment: Environment,
    prefix: String,
}

impl EnvSource {
    pub(crate) fn new(environment: Environment, prefix: String) -> Self {
        Self { environment, prefix }
    }
}

#[async_trait]
impl SecretSource for EnvSource {
    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        if request.version().is_some() {
            let error = SourceError::new(SourceErrorKind::Unsupported);
            return Err(error.with_cause("an environment variable has no versions"));
        }
        match fault_of_name(request.name()) {
            Some(fault) => Err(SourceError::new(SourceErrorKind::InvalidRequest).with_cause(fault)),
            None => Ok(()),
        }
    }

    fn check_prefix(&self, prefix: &str) -> Result<(), SourceError> {
        match fault_of_part(prefix) {
            Some(fault) => Err(SourceError::new(SourceErrorKind::InvalidRequest).with_cause(fault)),
            None => Ok(()),
        }
    }

    async fn fetch(&self, _: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        self.check(request)?;
        let variable = format!("{}{}", self.prefix, request.name());
        match self.environment.get(variable.as_ref()) {
            Some(value) => Ok(Secret::new(value.into_vec())),
            None => Err(unset(&variable)),
        }
    }

    async fn list(&self, run: &RunContext, prefix: &str) -> Result<Vec<Listed>, SourceError> {
        self.check_prefix(prefix)?;
        let beginning = format!("{}{prefix}", self.prefix);
        let mut names = BTreeSet::new();
        for variable in self.environment.names() {
            if variable.as_bytes().starts_with(beginning.as_bytes()) {
                match variable.to_str() {
                    Some(text) => names.extend(self.name_of(text)),
                    None => run.warn(not_text(&variable)),
                }
            }
        }
        Ok(names.into_iter().map(Listed::new).collect())
    }
}

impl EnvSource {
    /// Returns the name of the secret in a variable.
    fn name_of(&self, variable: &str) -> Option<String> {
        let name = variable.strip_prefix(&self.prefix)?;
        fault_of_name(name).is_none().then(|| name.to_owned())
    }
}

/// Returns the reason why a text cannot be the name of a variable.
fn fault_of_name(name: &str) -> Option<&'static str> {
    if name.is_empty() { Some("the name is empty") } else { fault_of_part(name) }
}

/// Returns the reason why a text cannot be a part of a variable's name.
fn fault_of_part(name: &str) -> Option<&'static str> {
    if name.contains('=') {
        Some("the name holds a `=`, which no environment variable can have")
    } else if name.contains('\0') {
        Some("the name holds a NUL character")
    } else {
        None
    }
}

/// Warns of a variable that cannot be requested. `Debug` escapes the bytes that are not UTF-8.
fn not_text(variable: &OsStr) -> String {
    format!("the name of the environment variable {variable:?} is not UTF-8: it is not listed")
}

fn unset(variable: &str) -> SourceError {
    SourceError::new(SourceErrorKind::NotFound)
        .with_cause(format!("the environment variable {variable:?} is not set"))
        .with_hint("export it to the process that runs this")
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn what_is_unset_is_named_with_its_prefix() {
        let error = unset("APP_TOKEN");
        assert_eq!(error.kind(), SourceErrorKind::NotFound);
        assert_eq!(error.source().unwrap().to_string(), "the environment variable \"APP_TOKEN\" is not set");
    }

    #[test]
    fn a_name_may_be_whatever_a_variable_can_be_called() {
        for name in ["TOKEN", "lower", "1", "a b", "ü", "a.b/c"] {
            assert_eq!(fault_of_name(name), None, "{name}");
        }
        for name in ["", "=", "a=b", "a\0"] {
            assert!(fault_of_name(name).is_some(), "{name:?}");
        }
    }
}
