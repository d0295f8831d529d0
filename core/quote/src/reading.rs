//! The state of a reader, for each format.

use crate::docker::Docker;
use crate::shell::Shell;
use crate::systemd::Systemd;
use crate::toml::Toml;
use crate::yaml::Yaml;
use crate::{Format, Misplaced, UNKNOWN};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reading {
    Docker(Docker),
    /// The two strictest readers of such files: a shell, and systemd, which has other comments and line ends.
    Dotenv(Shell, Systemd),
    Json(Yaml),
    Shell(Shell),
    Toml(Toml),
}

impl Reading {
    pub(super) fn at_start(format: Format) -> Self {
        match format {
            Format::Docker => Self::Docker(Docker::at_start()),
            Format::Dotenv => Self::Dotenv(Shell::at_start(), Systemd::at_start()),
            Format::Json => Self::Json(Yaml::at_start()),
            Format::Shell => Self::Shell(Shell::at_start()),
            Format::Toml => Self::Toml(Toml::at_start()),
        }
    }

    /// Returns the reason why a value must not stand here.
    pub(super) fn misplaced(&self) -> Option<Misplaced> {
        match self {
            Self::Docker(docker) => docker.misplaced(),
            Self::Dotenv(shell, systemd) => shell.misplaced_value().or_else(|| systemd.misplaced()),
            Self::Json(yaml) => yaml.misplaced(),
            Self::Shell(shell) => shell.misplaced(),
            Self::Toml(toml) => toml.misplaced(),
        }
    }

    /// Says whether nothing is clear any more.
    pub(super) fn is_unclear(&self) -> bool {
        match self {
            Self::Docker(_) | Self::Toml(_) => false,
            Self::Dotenv(shell, systemd) => shell.is_unclear || systemd.is_unclear,
            Self::Json(yaml) => yaml.is_unclear(),
            Self::Shell(shell) => shell.is_unclear,
        }
    }

    /// Treats all further text as unclear. Only YAML needs this, because no other format can be read in several ways.
    pub(super) fn give_up(&mut self) {
        if let Self::Json(yaml) = self {
            yaml.give_up();
        }
    }

    /// Reads a character. If it can be read in two ways, returns the second one.
    pub(super) fn character(&mut self, c: char) -> Option<Self> {
        match self {
            Self::Docker(docker) => docker.character(c),
            Self::Dotenv(shell, systemd) => {
                shell.character(c);
                systemd.character(c);
            }
            Self::Shell(shell) => shell.character(c),
            Self::Json(yaml) => return yaml.character(c).map(Self::Json),
            Self::Toml(toml) => toml.character(c),
        }
        None
    }

    /// Reads a value that was written for this reader.
    pub(super) fn value(&mut self) {
        match self {
            Self::Json(yaml) => yaml.scalar(),
            // For systemd, quotes that are closed leave the state as it was.
            Self::Dotenv(shell, _) => shell.character(UNKNOWN),
            _ => {
                self.character(UNKNOWN);
            }
        }
    }
}
