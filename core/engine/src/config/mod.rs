//! The configuration file, parsed into a tree of values with the line of each key.
//!
//! A [`Config`] is any TOML. Resolving it into a [`Plan`](crate::Plan) parses its tables, section by section, through
//! [`Settings`](secretdir_provider::Settings). A provider parses its own settings in the same way. So all errors name the
//! dotted path, the expected type and the nearest known key. If a part of a section is wrong, the rest is parsed
//! nevertheless, so that one pass finds every mistake in the file.

pub(crate) mod defaults;
mod document;
pub(crate) mod entry_section;
mod excerpt;
pub(crate) mod hook_section;
pub(crate) mod input;
pub(crate) mod owner;
pub(crate) mod positions;
pub(crate) mod profile;
pub(crate) mod report;
pub(crate) mod section;
pub(crate) mod shapes;
mod syntax;
#[cfg(test)]
mod tests;
pub(crate) mod values;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use secretdir_provider::{KeyPath, Settings, SettingsError, Table};

use crate::problem::{ConfigError, Problem};
use input::{Input, Unread};
use positions::{LineStarts, Positions};

/// The maximum size of a configuration in bytes. A configuration with 10,000 files has about 1 MiB.
const MOST: u64 = 16 << 20;

/// A configuration file that is valid TOML. Its content is not validated yet.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) file: PathBuf,
    origin: Origin,
    pub(crate) table: Table,
    pub(crate) positions: Positions,
    /// The file as it was read. None if only a text was given.
    pub(crate) input: Option<Input>,
    /// The profile that was applied.
    pub(crate) profile: Option<String>,
    /// The problems of that profile, which are reported with all others.
    pub(crate) problems: Vec<Problem>,
}

/// The kind of input that a configuration was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// A file. Relative paths start at its folder.
    File,
    /// Standard input, another descriptor, or a pipe. The folder of its path has nothing to do with the configuration.
    Stream,
}

impl Config {
    /// Reads a configuration file. If it is standard input, another descriptor or a pipe, relative paths in it are errors.
    ///
    /// # Errors
    ///
    /// - the file cannot be read, has more than 16 MiB, or is not UTF-8
    /// - it is not TOML: the error lists every syntax error
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::read_as(path, |text| Self::parse(text, path))
    }

    /// Reads only `[directory]` of a configuration file, and the changes that profiles make to it. The rest need only be
    /// TOML.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub(crate) fn read_directory(path: &Path) -> Result<Self, ConfigError> {
        Self::read_as(path, |text| Self::parse(&excerpt::of_directory(text), path))
    }

    fn read_as(
        path: &Path,
        parse: impl FnOnce(&str) -> Result<Self, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let (bytes, input) = Input::read(path, MOST + 1).map_err(|why| unread(path, &why))?;
        if bytes.len() as u64 > MOST {
            let message = format!("is larger than {} MiB: is it the configuration?", MOST >> 20);
            return Err(Problem::new(path, None, KeyPath::default(), message).into());
        }
        let is_file = input.is_regular() && !is_a_descriptor(path);
        let origin = if is_file { Origin::File } else { Origin::Stream };
        match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(Self { origin, input: Some(input), ..parse(text)? }),
            Err(error) => {
                let position = LineStarts::of(&bytes).position(error.valid_up_to());
                Err(Problem::new(path, Some(position), KeyPath::default(), "is not UTF-8").into())
            }
        }
    }

    /// Parses the text of a configuration. `path` is its name in problems, and relative paths start at the folder of
    /// `path`.
    ///
    /// # Errors
    ///
    /// Every syntax error in the text.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let (table, positions) = document::read(text, path)?;
        let (input, profile, problems) = (None, None, Vec::new());
        Ok(Self { file: path.to_owned(), origin: Origin::File, table, positions, input, profile, problems })
    }

    /// Returns a position in the configuration as text: the file, line and column, and the key.
    pub(crate) fn place_of(&self, at: &KeyPath) -> String {
        format!("{}:{}: {at}", self.file.display(), self.positions.of(at))
    }

    /// Returns the path of the file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Returns the folder of the file, which is empty for the current folder.
    fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// Returns the absolute folder of the file, or none if the configuration is not a file.
    pub(crate) fn own_folder(&self) -> Option<PathBuf> {
        let file = std::path::absolute(&self.file).unwrap_or_else(|_| self.file.clone());
        (self.origin == Origin::File).then(|| file.parent().map(Path::to_owned).unwrap_or_default())
    }

    /// Returns whether the configuration cannot be read again, because it is not a regular file.
    pub(crate) fn is_unrepeatable(&self) -> bool {
        !self.input.as_ref().is_some_and(Input::is_regular)
    }

    /// Returns the settings of a source.
    pub(crate) fn settings(&self, table: Table) -> Settings {
        // A source may start a program in that folder, so even the current folder needs a name.
        let folder = if self.folder() == Path::new("") { Path::new(".") } else { self.folder() };
        self.settings_in(folder, table)
    }

    /// Returns the resolved path of a key. An error is reported below that key.
    pub(crate) fn path(&self, key: &str, path: &str) -> Result<PathBuf, SettingsError> {
        self.settings_in(self.folder(), Table::new()).path(key, path)
    }

    fn settings_in(&self, folder: &Path, table: Table) -> Settings {
        match self.origin {
            Origin::File => Settings::new(table, folder),
            Origin::Stream => Settings::without_base_dir(table),
        }
    }
}

/// Returns whether a path names an open descriptor, such as `/dev/stdin`. The folder of that path is not the folder of the
/// file.
fn is_a_descriptor(path: &Path) -> bool {
    let folder = path.parent().and_then(|folder| fs::canonicalize(folder).ok());
    folder.is_some_and(|folder| folder == Path::new("/dev") || folder.starts_with("/proc"))
}

fn unread(path: &Path, why: &Unread) -> ConfigError {
    let message = match why {
        Unread::NotTrusted(why) => not_trusted(why),
        Unread::Io(error) if error.kind() == ErrorKind::NotFound && path.is_symlink() => {
            "is a symbolic link that leads nowhere".to_owned()
        }
        Unread::Io(error) => unreadable(error),
    };
    Problem::new(path, None, KeyPath::default(), message).into()
}

/// Returns the message for a file that root does not read.
pub(crate) fn not_trusted(why: &str) -> String {
    format!(
        "{why}; root acts on it, so root reads it only if no other user can change or replace it: \
         make root the owner of the file and of the directories that lead to it, and remove write permission for others (chmod go-w)"
    )
}

fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => {
            "there is no such file; check the path and the current folder, or write one with `init`"
                .to_owned()
        }
        ErrorKind::PermissionDenied => {
            "the current user may not read it; check the owner and mode of the file and its folders"
                .to_owned()
        }
        ErrorKind::IsADirectory => "is a directory; name the TOML file in it".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}
