//! The settings of a source: a value tree of our own, so that no version of a configuration format shows.

mod base_dir;
mod credential;
mod de;
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
pub use error::{SettingsError, SettingsProblem};
pub use path::{KeyPath, Segment};
pub use value::{IntoIter, Iter, Table, Value};

/// What a configuration says about one source, without the `provider` key.
///
/// A provider turns it into a struct of its own with [`parse`](Self::parse). `Debug` shows keys and types, no values.
#[derive(Clone)]
pub struct Settings {
    table: Table,
    base_dir: BaseDir,
}

impl Settings {
    /// Takes the keys of a source, and the folder that relative paths count from.
    pub fn new(table: Table, base_dir: impl Into<PathBuf>) -> Self {
        Self { table, base_dir: BaseDir::Folder(base_dir.into()) }
    }

    /// Takes the keys of a source whose configuration is in no folder, such as one from standard input.
    pub fn without_base_dir(table: Table) -> Self {
        Self { table, base_dir: BaseDir::Nowhere }
    }

    /// Returns the folder of the configuration file, for instance as the working directory of a program: `/` if it is in
    /// none. Read a path from the settings with [`path`](Self::path).
    pub fn base_dir(&self) -> &Path {
        self.base_dir.path()
    }

    /// Returns where a path leads that a key of the settings has. A relative path counts from the folder of the
    /// configuration file.
    ///
    /// # Errors
    ///
    /// The path is empty, has a NUL character, begins with `~`, `$` or `%`, which nobody expands, or is relative although
    /// the configuration is in no folder.
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

    /// Returns where a program is that a key of the settings names: with a slash in it, the name is a [path](Self::path);
    /// without one it stays as it is, for the system to look it up in PATH.
    ///
    /// # Errors
    ///
    /// The name is empty, or is no path that [`path`](Self::path) takes.
    pub fn program(&self, key: impl Into<KeyPath>, program: &str) -> Result<PathBuf, SettingsError> {
        self.base_dir.program(program).map_err(|message| SettingsError::new(key, message))
    }

    /// Returns where a credential of the source is: it is read by each run, never from the configuration itself.
    ///
    /// # Errors
    ///
    /// Not exactly one place is named, or a path is no path that [`path`](Self::path) takes.
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

    /// Reads the settings into a type that derives `serde::Deserialize`.
    ///
    /// Keys that the struct does not have are errors, whether or not it says `deny_unknown_fields`.
    ///
    /// # Errors
    ///
    /// Every bad or unknown key, with its dotted path and what is expected there, never what stands there. Of several
    /// keys missing from one table only the first is reported.
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
    /// Reads a table into a type that derives `serde::Deserialize`, as [`Settings::parse`] does with that of a source.
    ///
    /// # Errors
    ///
    /// Those of [`Settings::parse`].
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, SettingsError> {
        match de::deserialize(self) {
            (Ok(parsed), unknown) if unknown.is_empty() => Ok(parsed),
            (parsed, unknown) => Err(self.every_problem::<T>(parsed.err(), unknown)),
        }
    }

    /// Finds what else is wrong: deserializing stops at the first failure.
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
            // It is noted and taken out, to find the next one. What was taken out is missing from then on, which is no news. Each
            // turn takes something out, so the loop ends.
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
