//! One file that holds all secrets, in each format.

use std::collections::BTreeMap;
use std::fs;
use std::marker::PhantomData;
use std::path::PathBuf;

use secretdir_conformance::{BadSettings, Fixture, Skip};
use secretdir_provider::{Table, Value};
use secretdir_provider_file::FileProvider;
use tempfile::TempDir;

/// How the file is written.
trait Syntax {
    /// The name of the file.
    const NAME: &str;
    /// The format, where the name does not tell it.
    const FORMAT: Option<&str>;

    /// The rule that it cannot keep, and why.
    const SKIPPED: Option<(&str, &str)> = None;

    /// Writes secrets down.
    fn text(secrets: &BTreeMap<String, String>) -> String;
}

struct Toml;

impl Syntax for Toml {
    const NAME: &str = "secrets.toml";
    const FORMAT: Option<&str> = None;

    fn text(secrets: &BTreeMap<String, String>) -> String {
        // A string of JSON is one of TOML, but for this one character.
        let quoted = |text: &str| json(text).replace('\u{7f}', "\\u007f");
        secrets.iter().map(|(key, value)| format!("{} = {}\n", quoted(key), quoted(value))).collect()
    }
}

struct Json;

impl Syntax for Json {
    const NAME: &str = "secrets.json";
    const FORMAT: Option<&str> = None;

    fn text(secrets: &BTreeMap<String, String>) -> String {
        let members: Vec<_> =
            secrets.iter().map(|(key, value)| format!("{}: {}", json(key), json(value))).collect();
        format!("{{{}}}", members.join(",\n"))
    }
}

struct Dotenv;

impl Syntax for Dotenv {
    const NAME: &str = "secrets";
    const FORMAT: Option<&str> = Some("dotenv");
    const SKIPPED: Option<(&str, &str)> =
        Some(("kib_64_survive", "a value with a backquote and a single quote cannot be written"));

    fn text(secrets: &BTreeMap<String, String>) -> String {
        let escape = |text: String, character: char| text.replace(character, &format!("\\{character}"));
        let escaped = |value: &String| ['\\', '"', '$'].into_iter().fold(value.clone(), escape);
        secrets.iter().map(|(key, value)| format!("{key}=\"{}\"\n", escaped(value))).collect()
    }
}

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// A folder with a file of secrets.
struct Flat<S> {
    folder: TempDir,
    secrets: BTreeMap<String, String>,
    syntax: PhantomData<S>,
}

impl<S: Syntax> Flat<S> {
    fn write(&self) {
        fs::write(self.folder.path().join(S::NAME), S::text(&self.secrets)).unwrap();
    }
}

impl<S: Syntax> Fixture for Flat<S> {
    type Provider = FileProvider;

    async fn start() -> Self {
        let started = Self { folder: TempDir::new().unwrap(), secrets: BTreeMap::new(), syntax: PhantomData };
        started.write();
        started
    }

    async fn put(&mut self, name: &str, value: &[u8]) {
        self.secrets.insert(name.to_owned(), String::from_utf8(value.to_owned()).unwrap());
        self.write();
    }

    fn provider(&self) -> FileProvider {
        FileProvider
    }

    fn settings(&self) -> Table {
        path(S::NAME, S::FORMAT)
    }

    fn settings_of_no_store(&self) -> Table {
        path(&format!("no-such-{}", S::NAME), S::FORMAT)
    }

    fn settings_of_later_store(&mut self) -> Option<Table> {
        Some(path(&format!("later-{}", S::NAME), S::FORMAT))
    }

    async fn open_later_store(&mut self, name: &str, value: &[u8]) {
        self.put(name, value).await;
        let folder = self.folder.path();
        fs::copy(folder.join(S::NAME), folder.join(format!("later-{}", S::NAME))).unwrap();
    }

    fn settings_of_damaged_store(&mut self, value: &str) -> Option<Table> {
        let mut text = S::text(&BTreeMap::from([("damaged".to_owned(), value.to_owned())]));
        // The quote that ends the value, and what comes after it.
        text.truncate(text.rfind('"').unwrap());
        fs::write(self.folder.path().join(S::NAME), text).unwrap();
        Some(self.settings())
    }

    fn settings_with_relative_path(&mut self) -> Option<Table> {
        Some(self.settings())
    }

    fn base_dir(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn bad_settings(&self) -> Vec<BadSettings> {
        let both = Table::from([("root", "secrets")]);
        vec![
            BadSettings::new(path("", S::FORMAT), "path"),
            BadSettings::new(path("a\0.env", S::FORMAT), "path"),
            BadSettings::new(path("secrets.yaml", None), "path"),
            BadSettings::new(path(S::NAME, Some("yaml")), "format"),
            BadSettings::new(path(S::NAME, S::FORMAT).into_iter().chain(both).collect(), "path"),
        ]
    }

    fn name(&self, label: &str) -> String {
        format!("app/{label}")
    }

    fn good_names(&self) -> Vec<String> {
        ["key", "app/db", "/", "..", "white space", "naïve", "a=b"].map(str::to_owned).into()
    }

    fn bad_names(&self) -> Vec<String> {
        ["", "a\0b"].map(str::to_owned).into()
    }

    fn skips() -> Vec<Skip> {
        let text = "the file is text, and a value in it is as well";
        let rules =
            ["all_256_byte_values_survive", "all_byte_values_but_nul_survive", "invalid_utf8_survives"];
        super::what_no_file_does()
            .into_iter()
            .chain(rules.map(|rule| Skip::new(rule, text)))
            .chain(S::SKIPPED.map(|(rule, why)| Skip::new(rule, why)))
            .collect()
    }
}

fn path(path: &str, format: Option<&str>) -> Table {
    let settings = [("path", Some(path)), ("format", format)];
    settings.into_iter().filter_map(|(key, value)| Some((key.to_owned(), Value::from(value?)))).collect()
}

mod toml {
    secretdir_conformance::conformance_tests!(super::Flat<super::Toml>);
}

mod json {
    secretdir_conformance::conformance_tests!(super::Flat<super::Json>);
}

mod dotenv {
    secretdir_conformance::conformance_tests!(super::Flat<super::Dotenv>);
}
