//! The settings of a source: a value tree of our own, so that no version of a configuration format shows.

mod base_dir;
mod credential;
mod de;
mod error;
mod path;
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
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "kebab-case")]
    struct Sample {
        url: String,
        #[serde(default)]
        max_size: Option<u8>,
        #[serde(default)]
        flag: bool,
        #[serde(default)]
        args: Vec<String>,
        #[serde(default)]
        level: Level,
        #[serde(default)]
        nested: Nested,
        #[serde(default)]
        checked: Checked,
    }

    #[derive(Debug, Deserialize, PartialEq, Default)]
    #[serde(rename_all = "kebab-case")]
    enum Level {
        #[default]
        Low,
        VeryHigh,
    }

    #[derive(Debug, Deserialize, PartialEq, Default)]
    struct Nested {
        depth: i32,
    }

    #[derive(Debug, Deserialize, PartialEq, Default)]
    #[serde(try_from = "String")]
    struct Checked(String);

    impl TryFrom<String> for Checked {
        type Error = String;

        fn try_from(text: String) -> Result<Self, String> {
            if text.starts_with("secret") {
                Err(format!("cannot use {text}"))
            } else {
                Err("is odd".to_owned())
            }
        }
    }

    fn table(entries: &[(&str, Value)]) -> Table {
        entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    }

    fn problems(entries: &[(&str, Value)]) -> Vec<String> {
        let error = Settings::new(table(entries), "/").parse::<Sample>().unwrap_err();
        error.problems().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn good_settings_parse() {
        let sample: Sample = Settings::new(
            table(&[
                ("url", "u".into()),
                ("max-size", Value::Integer(255)),
                ("flag", Value::Boolean(true)),
                ("args", Value::Array(vec!["a".into()])),
                ("level", "very-high".into()),
                ("nested", Value::Table(table(&[("depth", Value::Integer(-3))]))),
            ]),
            "/",
        )
        .parse()
        .unwrap();
        assert_eq!(sample.max_size, Some(255));
        assert_eq!(sample.level, Level::VeryHigh);
        assert_eq!(sample.nested, Nested { depth: -3 });
        assert_eq!(sample.args, ["a"]);
    }

    #[test]
    fn a_text_in_the_place_of_an_array_shows_how_one_is_written() {
        for text in ["vault kv get", "canary", ""] {
            let found = problems(&[("url", "u".into()), ("args", text.into())]);
            assert_eq!(found, [r#"args: expected an array such as ["one", "two"], found a string"#]);
        }
        let found = problems(&[("url", "u".into()), ("args", Value::Integer(1))]);
        assert_eq!(found, ["args: expected an array, found a whole number"]);
    }

    #[test]
    fn every_bad_value_and_unknown_key_is_reported_in_one_go() {
        let found = problems(&[
            ("args", Value::Array(vec!["a".into(), Value::Integer(1)])),
            ("flag", "canary".into()),
            ("level", "canary".into()),
            ("max-sise", Value::Integer(1)),
            ("max-size", Value::Integer(256)),
            ("nested", Value::Table(table(&[("depth", "canary".into()), ("dept", "canary".into())]))),
            ("url", Value::Table(Table::new())),
        ]);
        assert_eq!(
            found,
            [
                "args[1]: expected a string, found a whole number",
                "flag: expected true or false, found a string",
                "level: expected one of `low`, `very-high`",
                "max-sise: unknown key; did you mean `max-size`?",
                "max-size: expected a whole number from 0 to 255",
                "nested.dept: unknown key; did you mean `depth`?",
                "nested.depth: expected a whole number from -2147483648 to 2147483647, found a string",
                "url: expected a string, found a table",
            ]
        );
    }

    #[test]
    fn a_number_that_is_not_zero_has_its_range_told() {
        #[derive(Debug, serde::Deserialize)]
        struct Status {
            #[expect(dead_code, reason = "only its range is asked for")]
            status: std::num::NonZeroU8,
        }

        for number in [0, 256] {
            let settings = Settings::new(table(&[("status", Value::Integer(number))]), "/");
            let error = settings.parse::<Status>().unwrap_err();
            assert!(error.to_string().contains("expected a whole number from 1 to 255"), "{error}");
        }
    }

    #[test]
    fn a_missing_key_is_named() {
        assert_eq!(problems(&[("flag", Value::Boolean(true))]), ["url: missing"]);
    }

    #[test]
    fn an_unknown_key_without_a_near_one_lists_what_there_is() {
        let found =
            problems(&[("url", "u".into()), ("nested", Value::Table(table(&[("zzzzzz", "canary".into())])))]);
        assert_eq!(found, ["nested.depth: missing", "nested.zzzzzz: unknown key; known here: `depth`"]);
    }

    #[test]
    fn a_custom_message_is_kept_unless_it_quotes_the_value() {
        assert_eq!(problems(&[("url", "u".into()), ("checked", "x9".into())]), ["checked: is odd"]);
        assert_eq!(
            problems(&[("url", "u".into()), ("checked", "secret-canary".into())]),
            ["checked: is not valid"]
        );
    }

    #[test]
    fn a_float_that_is_not_whole_is_no_integer() {
        assert_eq!(
            problems(&[("url", "u".into()), ("max-size", Value::Float(1.5))]),
            ["max-size: expected a whole number from 0 to 255, found a fraction"]
        );
    }

    #[test]
    fn debug_shows_keys_and_types_only() {
        let settings =
            Settings::new(table(&[("token", "canary".into()), ("n", Value::Integer(4711))]), "/etc");
        let debug = format!("{settings:?}");
        assert_eq!(
            debug,
            r#"Settings { table: {"n": a whole number, "token": a string}, base_dir: "/etc" }"#
        );
    }
}
