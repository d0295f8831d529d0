//! The environment variables that the server's command line reads as well. OpenBao's variables come first.

use std::env;
use std::fs;
use std::path::PathBuf;

use secretdir_provider::{Secret, SourceError, SourceErrorKind};

/// Reads a variable of OpenBao or Vault by the common part of its name.
pub(crate) fn variable(name: &str) -> Option<String> {
    let read = |vendor: &str| env::var(format!("{vendor}_{name}")).ok().filter(|value| !value.is_empty());
    read("BAO").or_else(|| read("VAULT"))
}

/// Returns the token that the command line would use: from the environment, or from its last login.
pub(crate) fn token() -> Result<Secret, SourceError> {
    if let Some(token) = variable("TOKEN") {
        return Ok(Secret::new(token));
    }
    let path = env::var_os("HOME").map(|home| PathBuf::from(home).join(".vault-token"));
    let read = path.as_ref().map(fs::read);
    match read {
        Some(Ok(token)) => Ok(Secret::new(token.trim_ascii())),
        _ => Err(SourceError::new(SourceErrorKind::Unauthenticated)
            .with_cause(
                "there is no token: neither BAO_TOKEN nor VAULT_TOKEN is set, and there is no ~/.vault-token",
            )
            .with_hint("set one of them, or configure a login with `auth`")),
    }
}
