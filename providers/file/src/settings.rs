//! The settings under `[sources.NAME]`.

use std::path::PathBuf;

use schemars::JsonSchema;
use secretdir_provider::{Settings, SettingsError};
use serde::Deserialize;

use crate::flat::Format;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(extend(
    "oneOf" = [{ "required": ["root"] }, { "required": ["path"] }],
    "dependentRequired" = { "format": ["path"] },
))]
pub(crate) struct FileSettings {
    /// A folder. Each file below it is a secret. A relative path starts at the folder of the configuration file.
    #[schemars(length(min = 1), extend("examples" = ["dev-secrets"]))]
    root: Option<String>,
    /// Instead of `root`: one file in TOML, JSON or dotenv format. Each top-level key is a secret.
    #[schemars(length(min = 1), extend("examples" = ["dev-secrets.env"]))]
    path: Option<String>,
    /// With `path`: the format of the file, if its name does not tell.
    #[schemars(extend("enum" = Format::WORDS))]
    format: Option<Format>,
}

/// The location of the secrets.
#[derive(Debug, PartialEq)]
pub(crate) enum Store {
    /// Each secret is a file below this directory.
    Tree(PathBuf),
    /// All secrets are in this file.
    Flat(PathBuf, Format),
}

impl FileSettings {
    /// Returns the location of the secrets.
    pub(crate) fn store(self, settings: &Settings) -> Result<Store, SettingsError> {
        match (self.root, self.path, self.format) {
            (Some(root), None, None) => Ok(Store::Tree(settings.path("root", &root)?)),
            (None, Some(path), format) => {
                let located = settings.path("path", &path)?;
                let format = format.or_else(|| Format::of(&located)).ok_or_else(unknown_format)?;
                Ok(Store::Flat(located, format))
            }
            (Some(_), Some(_), _) => {
                Err(SettingsError::new("path", "cannot be combined with `root`; keep one of them"))
            }
            (Some(_), None, Some(_)) => {
                Err(SettingsError::new("format", "belongs to `path`; a file below `root` is read as it is"))
            }
            (None, None, _) => Err(SettingsError::new(
                "root",
                "missing; a source needs a `root` (a folder) or a `path` (one file)",
            )),
        }
    }
}

fn unknown_format() -> SettingsError {
    SettingsError::new(
        "path",
        "the format cannot be told from the name; known are `.toml`, `.json`, `.env` and names such as `.env.local`; \
         for another, set `format`; for a folder, write `root` instead of `path`",
    )
}

#[cfg(test)]
mod tests {
    use secretdir_provider::Table;

    use super::*;

    /// Reads settings from `root`, `path` and `format`.
    fn store(
        root: Option<&str>,
        path: Option<&str>,
        format: Option<Format>,
    ) -> Result<Store, (String, String)> {
        let settings = FileSettings { root: root.map(str::to_owned), path: path.map(str::to_owned), format };
        settings.store(&Settings::new(Table::new(), "/etc/app")).map_err(|error| {
            let problem = &error.problems()[0];
            (problem.path().to_string(), problem.message().to_owned())
        })
    }

    fn tree(root: &str) -> Result<Store, (String, String)> {
        store(Some(root), None, None)
    }

    #[test]
    fn a_relative_path_counts_from_the_configuration() {
        assert_eq!(tree("dev"), Ok(Store::Tree("/etc/app/dev".into())));
        assert_eq!(tree("/run/secrets"), Ok(Store::Tree("/run/secrets".into())));
        let flat = store(None, Some("dev.env"), None);
        assert_eq!(flat, Ok(Store::Flat("/etc/app/dev.env".into(), Format::Dotenv)));
        let named = store(None, Some("/run/dev.env"), Some(Format::Json));
        assert_eq!(named, Ok(Store::Flat("/run/dev.env".into(), Format::Json)));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        let nul = "must not hold a NUL character".to_owned();
        assert_eq!(tree("").unwrap_err().0, "root");
        assert_eq!(tree("a\0b"), Err(("root".to_owned(), nul.clone())));
        assert_eq!(store(None, Some(""), None).unwrap_err().0, "path");
        assert_eq!(store(None, Some("a\0b.env"), None), Err(("path".to_owned(), nul)));
    }

    #[test]
    fn one_of_root_and_path_says_where_the_secrets_are() {
        for (given, key, words) in [
            (store(None, None, None), "root", "missing; a source needs"),
            (store(None, None, Some(Format::Json)), "root", "missing; a source needs"),
            (store(Some("a"), Some("b.env"), None), "path", "cannot be combined with `root`"),
            (store(Some("a"), None, Some(Format::Json)), "format", "belongs to `path`"),
            (store(None, Some("secrets.yaml"), None), "path", "the format cannot be told from the name"),
        ] {
            let (path, message) = given.unwrap_err();
            assert_eq!(path, key);
            assert!(message.starts_with(words), "{message}");
        }
    }
}
