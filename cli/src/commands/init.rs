//! `secretdir init`: writes a configuration to start with.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use secretdir_engine::{ErrorKind, ErrorReport, Registry, UnknownProvider};

use super::kind_of_unwritten;
use crate::Exit;
use crate::host::CliHost;
use crate::output::{Output, written};
use crate::starter::{self, NamedSource};

/// The reason why no configuration was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InitError {
    #[error("no source is named; the providers are {}", listed(.0))]
    NoSource(Vec<&'static str>),
    #[error(transparent)]
    UnknownProvider(UnknownProvider),
    #[error("`{0}` is not a valid name for a source: use only letters (a to z, A to Z), digits, `-` and `_`")]
    BadName(String),
    #[error("two sources would have the name `{0}`")]
    SameName(String),
    #[error("`{}` already exists, and was not changed", .0.display())]
    AlreadyThere(PathBuf),
    #[error("`{}` cannot be written", .path.display())]
    NotWritten {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

impl InitError {
    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> Option<&str> {
        match self {
            Self::NoSource(_) => {
                Some("name one or more, such as `secretdir init file` or `secretdir init prod=file`")
            }
            Self::SameName(_) => Some("give each source its own name: NAME=PROVIDER"),
            Self::AlreadyThere(_) => Some("name another file with --config, or move this one away"),
            Self::NotWritten { cause, .. } if cause.kind() == io::ErrorKind::NotFound => {
                Some("make its folder first")
            }
            _ => None,
        }
    }
}

impl From<&InitError> for ErrorReport {
    fn from(error: &InitError) -> Self {
        let report = |kind| Self::new(kind, error).with_hint(error.hint());
        match error {
            InitError::NoSource(_) | InitError::BadName(_) | InitError::SameName(_) => {
                report(ErrorKind::Usage)
            }
            InitError::UnknownProvider(unknown) => unknown.into(),
            InitError::AlreadyThere(path) => report(ErrorKind::AlreadyThere).at_path(path),
            InitError::NotWritten { path, cause } => report(kind_of_unwritten(cause)).at_path(path),
        }
    }
}

/// Writes the configuration to the path of `--config`.
pub(crate) fn run(
    arguments: &[String],
    path: &Path,
    registry: &Registry,
    host: &CliHost,
    output: &Output,
) -> Exit {
    let written = named(arguments, registry).and_then(|sources| {
        let text = starter::text(&sources, registry);
        host.umask.during(|| write(path, &text)).map_err(|error| vec![error])
    });
    match written {
        Ok(()) => output.answer(&written::config(path)),
        Err(errors) => output.failed(&errors.iter().map(ErrorReport::from).collect::<Vec<_>>(), &[]),
    }
}

/// Parses the sources in the arguments. Reports all mistakes.
fn named<'r>(arguments: &[String], registry: &'r Registry) -> Result<Vec<NamedSource<'r>>, Vec<InitError>> {
    if arguments.is_empty() {
        return Err(vec![InitError::NoSource(registry.names().collect())]);
    }
    let (mut sources, mut errors, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
    for argument in arguments {
        let (name, provider) = argument.split_once('=').unwrap_or((argument, argument));
        match registry.find(provider) {
            Ok(provider) => sources.push(NamedSource { name: name.to_owned(), provider }),
            Err(unknown) => errors.push(InitError::UnknownProvider(unknown)),
        }
        if argument.contains('=') && !is_name(name) {
            errors.push(InitError::BadName(name.to_owned()));
        } else if !names.insert(name) {
            errors.push(InitError::SameName(name.to_owned()));
        }
    }
    if errors.is_empty() { Ok(sources) } else { Err(errors) }
}

fn listed(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Says whether a name needs no quotes in TOML.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Creates a file with this text, or none.
fn write(path: &Path, text: &str) -> Result<(), InitError> {
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(path).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => InitError::AlreadyThere(path.to_owned()),
            _ => InitError::NotWritten { path: path.to_owned(), cause },
        })?;
    file.write_all(text.as_bytes()).map_err(|cause| {
        // The file is incomplete, and this run created it.
        let _ = fs::remove_file(path);
        InitError::NotWritten { path: path.to_owned(), cause }
    })
}
