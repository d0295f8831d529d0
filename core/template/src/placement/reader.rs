//! Who reads what a filter writes, and what may stand beside it.

use super::Misplaced;
use super::docker::Docker;
use super::shell::Shell;
use super::state::UNKNOWN;
use super::systemd::Systemd;
use super::toml::Toml;
use super::yaml::Yaml;

/// Who reads what a filter writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reader {
    Docker,
    Dotenv,
    Json,
    Shell,
    Toml,
}

impl Reader {
    pub(super) const ALL: [Self; 5] = [Self::Docker, Self::Dotenv, Self::Json, Self::Shell, Self::Toml];

    /// Returns the filter that writes for it.
    pub(super) fn filter(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Dotenv => "dotenv",
            Self::Json => "json",
            Self::Shell => "shell",
            Self::Toml => "toml",
        }
    }

    /// Says whether a character may stand directly behind what a filter writes.
    pub(super) fn may_precede(self, after: char) -> bool {
        match self {
            Self::Docker => !matches!(after, '\'' | '"'),
            Self::Dotenv => "\n \t".contains(after),
            Self::Json => "\n\r \t,]});:<".contains(after),
            Self::Shell => "\n \t;)|&<>".contains(after),
            Self::Toml => "\n\r \t,].}=#".contains(after),
        }
    }

    /// Says whether a character may stand behind blanks behind what a filter writes.
    pub(super) fn may_come_later(self, after: char) -> bool {
        match self {
            Self::Docker => after != '#',
            // A comment would be a part of the value to systemd.
            Self::Dotenv => self.may_precede(after),
            Self::Json => after == '#' || self.may_precede(after),
            Self::Shell | Self::Toml => true,
        }
    }
}

/// Where a reader is in a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reading {
    Docker(Docker),
    /// A shell is the strictest reader of such files but for systemd, which has other comments.
    Dotenv(Shell, Systemd),
    Json(Yaml),
    Shell(Shell),
    Toml(Toml),
}

impl Reading {
    pub(super) fn at_start(reader: Reader) -> Self {
        match reader {
            Reader::Docker => Self::Docker(Docker::at_start()),
            Reader::Dotenv => Self::Dotenv(Shell::at_start(), Systemd::at_start()),
            Reader::Json => Self::Json(Yaml::at_start()),
            Reader::Shell => Self::Shell(Shell::at_start()),
            Reader::Toml => Self::Toml(Toml::at_start()),
        }
    }

    /// Says what is wrong with the filter here.
    pub(super) fn misplaced(&self) -> Option<Misplaced> {
        match self {
            Self::Docker(docker) => docker.misplaced(),
            Self::Dotenv(shell, systemd) => shell.misplaced_value().or_else(|| systemd.misplaced()),
            Self::Json(yaml) => yaml.misplaced(),
            Self::Shell(shell) => shell.misplaced(),
            Self::Toml(toml) => toml.misplaced(),
        }
    }

    /// Reads a character. Returns the other way in which it can be read, if there is one.
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

    /// Reads what may be nothing.
    pub(super) fn nothing(&mut self) {
        match self {
            Self::Docker(docker) => docker.nothing(),
            Self::Dotenv(_, systemd) => systemd.nothing(),
            Self::Json(_) | Self::Shell(_) | Self::Toml(_) => {}
        }
    }

    /// Reads what the filter has written.
    pub(super) fn written(&mut self) {
        match self {
            Self::Json(yaml) => yaml.scalar(),
            // To systemd the quotes that it closes leave the place as it was.
            Self::Dotenv(shell, _) => shell.character(UNKNOWN),
            _ => {
                self.character(UNKNOWN);
            }
        }
    }
}
