//! The settings of a source, as a tree of values. The types are our own, so no crate for a configuration format is part of the
//! interface.

mod base_dir;
mod credential;
mod de;
mod duration;
mod error;
mod path;
mod read_error;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use base_dir::BaseDir;
use serde::de::DeserializeOwned;

pub use credential::{Credential, CredentialSettings};
pub use duration::DurationSetting;
pub use error::{SettingsError, SettingsProblem};
pub use path::{KeyPath, Segment};
pub use value::{IntoIter, Iter, Table, Value};

/// The configuration of one source, without the key `provider`.
///
/// [`parse`](Self::parse) turns it into a struct of the provider. `Debug` shows keys and types, but no values.
#[derive(Clone)]
pub struct Settings {
    table: Table,
    base_dir: BaseDir,
}

impl Settings {
    /// Takes the keys of a source, and the folder that relative paths start at.
    pub fn new(table: Table, base_dir: impl Into<PathBuf>) -> Self {
        Self { table, base_dir: BaseDir::Folder(base_dir.into()) }
    }

    /// Takes the keys of a source whose configuration has no folder, such as one from standard input.
    pub fn without_base_dir(table: Table) -> Self {
        Self { table, base_dir: BaseDir::Nowhere }
    }

    /// Returns the folder of the configuration file, for instance as the working directory of a program. It is `/` if the
    /// configuration has no folder. Use [`path`](Self::path) for a path in the settings.
    pub fn base_dir(&self) -> &Path {
        self.base_dir.path()
    }

    /// Resolves a path in the settings. A relative path starts at the folder of the configuration file.
    ///
    /// # Errors
    ///
    /// - The path is empty or contains a NUL character.
    /// - It begins with `~`, `$` or `%`, which is not expanded here.
    /// - It is relative, but the configuration has no folder.
    ///
    /// ```
    /// use std::path::Path;
    /// use secretdir_provider::{Settings, Table};
    ///
    /// let settings = Settings::new(Table::new(), "/etc/app");
    /// assert_eq!(settings.path("root", "secrets").unwrap(), Path::new("/etc/app/secrets"));
    /// assert!(settings.path("root", "~/secrets").is_err());
    /// assert!(Settings::without_base_dir(Table::new()).path("root", "secrets").is_err());
    /// ```
    pub fn path(&self, key: impl Into<KeyPath>, path: &str) -> Result<PathBuf, SettingsError> {
        self.base_dir.locate(path).map_err(|message| SettingsError::new(key, message))
    }

    /// Resolves the name of a program in the settings. A name with a slash is resolved as a [path](Self::path). A name without
    /// one stays as it is, and the system looks it up in PATH.
    ///
    /// # Errors
    ///
    /// The name is empty, or is a path that [`path`](Self::path) refuses.
    pub fn program(&self, key: impl Into<KeyPath>, program: &str) -> Result<PathBuf, SettingsError> {
        self.base_dir.program(program).map_err(|message| SettingsError::new(key, message))
    }

    /// Returns the location of a credential of the source. The configuration itself never contains it; each run reads it.
    ///
    /// # Errors
    ///
    /// The settings name no location or several ones, or a path that [`path`](Self::path) refuses.
    ///
    /// ```
    /// use secretdir_provider::{CredentialSettings, Settings, Table};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct MySettings {
    ///     token: CredentialSettings,
    /// }
    ///
    /// let table = Table::from([("token", Table::from([("file", "/run/my-token")]))]);
    /// let settings = Settings::new(table, "/etc/app");
    /// let parsed: MySettings = settings.parse().unwrap();
    /// let token = settings.credential("token", &parsed.token).unwrap();
    /// assert_eq!(token.to_string(), "the file \"/run/my-token\"");
    /// ```
    pub fn credential(
        &self,
        key: impl Into<KeyPath>,
        credential: &CredentialSettings,
    ) -> Result<Credential, SettingsError> {
        credential.locate(self, key.into())
    }

    /// Parses the settings into a type that derives `serde::Deserialize`.
    ///
    /// Unknown keys are errors, even without `deny_unknown_fields`.
    ///
    /// # Errors
    ///
    /// Every bad or unknown key, with its dotted path and the expected type, but never the value. If several keys are missing
    /// from one table, only the first one is reported.
    ///
    /// ```
    /// use secretdir_provider::{Settings, Table};
    ///
    /// #[derive(Debug, serde::Deserialize)]
    /// struct MySettings {
    ///     port: u16,
    ///     region: Option<String>,
    /// }
    ///
    /// let table = Table::from([
    ///     ("port", "hunter2"),
    ///     ("regoin", "eu-west-1"),
    /// ]);
    /// let error = Settings::new(table, "/etc/app").parse::<MySettings>().unwrap_err();
    /// let texts: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
    /// assert_eq!(texts, [
    ///     "port: expected a whole number from 0 to 65535, found a string",
    ///     "regoin: unknown key; did you mean `region`?",
    /// ]);
    /// ```
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, SettingsError> {
        self.table.parse()
    }
}

impl Table {
    /// Parses a table into a type that derives `serde::Deserialize`, as [`Settings::parse`] does.
    ///
    /// # Errors
    ///
    /// As for [`Settings::parse`].
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, SettingsError> {
        match de::deserialize(self) {
            (Ok(parsed), unknown) if unknown.is_empty() => Ok(parsed),
            (parsed, unknown) => Err(self.every_problem::<T>(parsed.err(), unknown)),
        }
    }

    /// Finds all problems, although deserializing stops at the first one.
    fn every_problem<T: DeserializeOwned>(
        &self,
        first: Option<SettingsProblem>,
        unknown: Vec<SettingsProblem>,
    ) -> SettingsError {
        let mut rest = self.clone();
        let mut found = BTreeMap::new();
        let mut taken_out = BTreeSet::new();
        let (mut failed, mut unknown) = (first, unknown);
        loop {
            for problem in unknown {
                found.entry(problem.path().clone()).or_insert(problem);
            }
            let Some(problem) = failed else { break };
            // Removing the bad value lets the next attempt find the next problem. The removed key is then reported as missing,
            // which is ignored. Each round removes something, so the loop ends.
            let path = problem.path().clone();
            if !taken_out.contains(&path) {
                found.entry(path.clone()).or_insert(problem);
            }
            let Some(gone) = rest.remove_nearest(&path) else { break };
            taken_out.insert(gone);
            let (parsed, more) = de::deserialize::<T>(&rest);
            (failed, unknown) = (parsed.err(), more);
        }
        SettingsError::from_problems(found.into_values())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("table", &self.table).field("base_dir", &self.base_dir()).finish()
    }
}

#[cfg(test)]
mod tests;
