//! The configuration file: text, then a tree of values with the line of each key.
//!
//! A [`Config`] is any TOML. What its tables mean is read section by section while it is resolved into a
//! [`Plan`](crate::Plan), each section through [`Settings`](secretdir_provider::Settings), which is also how a provider
//! reads its own: one mechanism names the dotted path, the expected type and the nearest known key of whatever is
//! wrong. A section that is wrong in part is read for the rest, so that one look finds every mistake in the file.

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

/// How large a configuration may be. One of 10,000 files has about 1 MiB.
const MOST: u64 = 16 << 20;

/// A configuration file that is TOML, and not yet known to mean anything.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) file: PathBuf,
    origin: Origin,
    pub(crate) table: Table,
    pub(crate) positions: Positions,
    /// The file as it was read; none if only a text was given.
    pub(crate) input: Option<Input>,
    /// The profile that was laid over it.
    pub(crate) profile: Option<String>,
    /// What is wrong with the profile that was laid over it: told with the rest.
    pub(crate) problems: Vec<Problem>,
}

/// What a configuration was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// A file, from whose folder relative paths count.
    File,
    /// Standard input, another descriptor, or a pipe: the folder of such a name has nothing to do with the configuration.
    Stream,
}

impl Config {
    /// Reads a configuration file. In one that comes from standard input, another descriptor or a pipe, relative paths are
    /// mistakes.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, has more than 16 MiB, is not UTF-8, or is not TOML; of the last, every mistake.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::read_as(path, |text| Self::parse(text, path))
    }

    /// Reads of a configuration file only `[directory]`, and what the profiles change of it. The rest need only be TOML.
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
            let message = format!("is larger than {} MiB: is this the configuration?", MOST >> 20);
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

    /// Reads the text of a configuration; `path` is where it comes from: its name in problems, and what relative paths
    /// count from.
    ///
    /// # Errors
    ///
    /// Every mistake that keeps the text from being TOML.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let (table, positions) = document::read(text, path)?;
        let (input, profile, problems) = (None, None, Vec::new());
        Ok(Self { file: path.to_owned(), origin: Origin::File, table, positions, input, profile, problems })
    }

    /// Names a place in the configuration: the file, line and column, and the key.
    pub(crate) fn place_of(&self, at: &KeyPath) -> String {
        format!("{}:{}: {at}", self.file.display(), self.positions.of(at))
    }

    /// Returns the path of the file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Returns the folder of the file: empty for the current one.
    fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// Returns the absolute folder of the file; nothing if the configuration is no file.
    pub(crate) fn own_folder(&self) -> Option<PathBuf> {
        let file = std::path::absolute(&self.file).unwrap_or_else(|_| self.file.clone());
        (self.origin == Origin::File).then(|| file.parent().map(Path::to_owned).unwrap_or_default())
    }

    /// Returns whether the configuration is not in a file, where it can be read once more.
    pub(crate) fn is_unrepeatable(&self) -> bool {
        !self.input.as_ref().is_some_and(Input::is_regular)
    }

    /// Returns the settings of a source.
    pub(crate) fn settings(&self, table: Table) -> Settings {
        // A source may start a program in that folder, so the current one needs a name.
        let folder = if self.folder() == Path::new("") { Path::new(".") } else { self.folder() };
        self.settings_in(folder, table)
    }

    /// Returns where a path leads that a key has; an error is below that key.
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

/// Says whether a path names an open descriptor, such as `/dev/stdin`: whatever that is of, its folder is another one.
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

/// Says why root does not read a file.
pub(crate) fn not_trusted(why: &str) -> String {
    format!(
        "{why}; root does as it says, so root reads it only if nobody else can change or replace it: \
         give it, and the directories that lead to it, to root, and take away the permission of others to write (chmod go-w)"
    )
}

fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file; is the path right, and the current folder?".to_owned(),
        ErrorKind::PermissionDenied => "this user may not read it; check its owner and mode".to_owned(),
        ErrorKind::IsADirectory => "is a directory; name the TOML file in it".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}
