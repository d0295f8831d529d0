//! The file that the SDK sees instead of AWS's own files: the profiles that are in use, with the keys that it needs.

use std::collections::HashMap;
use std::fmt::Write as _;

use secretdir_provider::SourceError;

use super::super::names::written;
use super::super::profiles::{self, Keys};
use super::super::{no_credentials, refused};
use super::Found;

/// The profile with the keys of the environment, for profiles that refer to them.
const OF_THE_ENVIRONMENT: &str = "secretdir%environment";

impl Found<'_> {
    /// Writes the profiles that are in use as a file, and returns the name of the first one.
    pub(super) fn file_and_profile(
        &self,
        environment: &HashMap<String, String>,
    ) -> Result<(String, Option<String>), SourceError> {
        Ok((self.file(environment)?, self.chain.first().map(|(name, _)| written(name))))
    }

    fn file(&self, environment: &HashMap<String, String>) -> Result<String, SourceError> {
        let mut file = String::new();
        for (name, keys) in &self.chain {
            let _ = writeln!(file, "[profile {}]", written(name));
            for (name, key) in keys {
                check_comment(name, key)?;
                match (name.as_str(), key.value.as_str()) {
                    // Printed credentials do not pass through the SDK. It would start the program before it looks at a key.
                    (
                        "services" | "endpoint_url" | "login_session" | "ca_bundle" | "credential_process",
                        _,
                    ) => {}
                    // Without a role, the source profile has no use.
                    ("source_profile", _) if !keys.contains_key("role_arn") => {}
                    ("source_profile", source) => line(&mut file, name, &written(source)),
                    ("credential_source", "Environment") => {
                        line(&mut file, "source_profile", OF_THE_ENVIRONMENT)
                    }
                    (name, value) => line(&mut file, name, value),
                }
            }
        }
        self.write_sessions(&mut file)?;
        self.write_key(&mut file, environment);
        Ok(file)
    }

    fn write_sessions(&self, file: &mut String) -> Result<(), SourceError> {
        let mut names: Vec<_> =
            self.chain.iter().filter_map(|(_, keys)| Some(&keys.get("sso_session")?.value)).collect();
        names.dedup();
        for name in names {
            let Some(keys) = self.profiles.sso_sessions.get(name) else {
                return Err(no_credentials(
                    &format!("the section `sso-session {name}` of the profile does not exist"),
                    "add the section to ~/.aws/config: `aws configure sso-session` does",
                ));
            };
            if written(name) != *name {
                return Err(no_credentials(
                    &format!("the name of the section `sso-session {name}` cannot be used"),
                    "give it a name of ASCII letters, digits and `_-/.@:+`",
                ));
            }
            let _ = writeln!(file, "[sso-session {name}]");
            for (name, key) in profiles::checked(name, keys)? {
                line(file, &name, &key.value);
            }
        }
        Ok(())
    }

    /// Writes the key of the environment, if a profile refers to it.
    fn write_key(&self, file: &mut String, environment: &HashMap<String, String>) {
        let refers =
            |keys: &Keys| keys.get("credential_source").is_some_and(|key| key.value == "Environment");
        if !self.chain.iter().any(|(_, keys)| refers(keys)) {
            return;
        }
        let _ = writeln!(file, "[profile {OF_THE_ENVIRONMENT}]");
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            if let Some(value) = environment.get(name) {
                line(file, &name.to_lowercase(), value);
            }
        }
    }
}

/// Refuses a value if the SDK would take a part of it for a comment.
fn check_comment(name: &str, key: &profiles::Key) -> Result<(), SourceError> {
    let is_comment = |word: &str| word.starts_with(['#', ';']);
    let has_comment = key.value.split([' ', '\t']).skip(1).any(is_comment);
    // These keys are not passed on as they are.
    if !has_comment || matches!(name, "credential_process" | "source_profile") {
        return Ok(());
    }
    Err(refused(
        format!("`{name}` of a profile ({key}) has a `#` or `;` behind a blank, which cannot be used"),
        "put the comment on a separate line",
    ))
}

fn line(file: &mut String, key: &str, value: &str) {
    let _ = writeln!(file, "{key} = {value}");
}
