//! The command-line arguments.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::Resettable;
use clap::error::{ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use secretdir_engine::escape;

use crate::Exit;
use crate::exit::Failures;
use crate::help::{PIN, SIGNALS, exits};
use crate::identity::Identity;

/// Gathers secrets from pluggable sources into one directory, flipped atomically.
#[derive(Debug, Parser)]
#[command(name = "secretdir", version, arg_required_else_help = true, after_help = exits())]
pub(crate) struct Args {
    /// The name and version of the command.
    #[arg(skip)]
    identity: Identity,

    #[command(subcommand)]
    pub(crate) command: Command,

    /// Configuration file
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "SECRETDIR_CONFIG",
        hide_env = true,
        default_value = "secretdir.toml"
    )]
    config: PathBuf,

    /// Profile of the configuration
    #[arg(long, global = true, value_name = "NAME", env = "SECRETDIR_PROFILE", hide_env = true)]
    profile: Option<String>,

    /// Print one JSON object on standard output
    #[arg(long, global = true)]
    json: bool,

    /// Print no summary on success, only warnings and errors
    #[arg(short, long, global = true)]
    quiet: bool,

    /// Print details on standard error; twice for all of them
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
}

impl Identity {
    /// Returns the definition of the arguments, with the name and version of this command.
    pub(crate) fn command(self) -> clap::Command {
        let usage = format!("{} exec [OPTIONS] -- <PROGRAM>...", self.name);
        let command = Args::command().name(self.name).version(self.version).long_version(self.long_version());
        command.mut_subcommand("exec", |exec| exec.override_usage(usage))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a commented configuration file to start with
    Init {
        /// The sources, each a provider, or a name and its provider
        #[arg(value_name = "[NAME=]PROVIDER")]
        sources: Vec<String>,
    },
    /// Fetch all secrets, and publish them if anything has changed
    Sync {
        /// Longest wait for another run [default: timeout + 30s]
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        wait: Option<Duration>,
        /// Write metrics as Prometheus text, also if the run fails
        #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
        metrics: Option<PathBuf>,
        /// Publish nothing: the same as `diff`
        #[arg(long, conflicts_with = "wait")]
        dry_run: bool,
    },
    /// Keep the secrets current for as long as the host is up
    #[command(after_help = SIGNALS)]
    Watch {
        /// Write metrics as Prometheus text, after each run
        #[arg(long, value_name = "FILE")]
        metrics: Option<PathBuf>,
        /// Format of the log lines: text or json
        #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
        log: LogFormat,
    },
    /// Fetch all secrets, and show what `sync` would change
    #[command(after_help = "Exit codes: 0 nothing would change, 10 something would; see `secretdir --help`.")]
    Diff,
    /// Validate the configuration and this machine, offline
    Check {
        /// Fetch all secrets as well; publish nothing
        #[arg(long)]
        fetch: bool,
        /// Validate the configuration with each profile and without
        #[arg(long, conflicts_with = "fetch")]
        all_profiles: bool,
    },
    /// Show what is published, its age and its sources; never a value
    Status {
        /// Exit with 11 if the last success is older than this
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        fresh: Option<Duration>,
    },
    /// Run a program with the current secrets pinned until it exits
    #[command(after_help = PIN)]
    Exec {
        /// The program and its arguments
        #[arg(last = true, required = true, value_name = "PROGRAM")]
        program: Vec<OsString>,
    },
    /// List the providers of this binary, or explain one
    Providers {
        /// The one to explain
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Print a JSON Schema of the configuration, for editors
    Schema {
        /// Print a schema of the output of `--json` instead
        #[arg(long)]
        output: bool,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the man pages into the subfolders man1 and man5
    Man {
        /// Folder for the pages, such as /usr/local/share/man
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
}

/// The format of standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    /// Text, without the lines that only report success.
    Quiet,
    Json,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people, and journald
    Text,
    /// One JSON object a line
    Json,
}

/// The amount of messages on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    Quiet,
    Normal,
    Verbose,
    Everything,
}

impl Args {
    /// Parses the arguments. The first one is the name of the command.
    pub(crate) fn read(arguments: &[OsString], identity: Identity) -> Result<Self, clap::Error> {
        // An empty variable counts as unset: in a file of variables, unwanted ones often have no value.
        let mut command = identity.command().mut_args(|argument| {
            if is_set_but_empty(&argument) { argument.env(Resettable::Reset) } else { argument }
        });
        let matches = command.try_get_matches_from_mut(arguments).map_err(|error| match error.kind() {
            // clap's own message has all commands in one line.
            ErrorKind::MissingSubcommand => identity.command().error(error.kind(), "the command is missing"),
            _ => escaped(error),
        })?;
        let args = Self::from_arg_matches(&matches).map_err(|error| escaped(error.format(&mut command)))?;
        let args = Self { identity, ..args };
        args.ensure_consistent()?;
        args.ensure_one_choice_of_profiles(&matches)?;
        Ok(args)
    }

    /// Fails if both `--all-profiles` and `--profile` are given. A variable with a profile is meant for all commands,
    /// so it does not count.
    fn ensure_one_choice_of_profiles(&self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let is_typed =
            |matches: &ArgMatches| matches.value_source("profile") == Some(ValueSource::CommandLine);
        let is_typed = is_typed(matches) || matches.subcommand().is_some_and(|(_, below)| is_typed(below));
        if is_typed && matches!(self.command, Command::Check { all_profiles: true, .. }) {
            let message = "the argument '--all-profiles' cannot be used with '--profile <NAME>'";
            return Err(self.identity.command().error(ErrorKind::ArgumentConflict, message));
        }
        Ok(())
    }

    /// Returns the exit code for arguments that cannot be parsed. It depends on the command, as far as that can be
    /// recognised.
    pub(crate) fn misread(arguments: &[OsString]) -> Exit {
        let matches = Self::command().ignore_errors(true).try_get_matches_from(arguments);
        let is_exec = matches.is_ok_and(|matches| matches.subcommand_name() == Some("exec"));
        if is_exec { Exit::NotStarted } else { Exit::Usage }
    }

    /// Returns the output format for arguments that cannot be parsed: JSON if `--json` is among them.
    pub(crate) fn misread_format(arguments: &[OsString]) -> Format {
        let own = arguments.iter().take_while(|argument| *argument != "--");
        if own.into_iter().any(|argument| argument == "--json") { Format::Json } else { Format::Text }
    }

    /// Returns the exit codes that this command uses when it fails.
    pub(crate) fn failures(&self) -> Failures {
        match self.command {
            Command::Exec { .. } => Failures::OfExec,
            _ => Failures::ByKind,
        }
    }

    /// Fails if options conflict that may stand before or after the command. clap checks the two positions separately.
    fn ensure_consistent(&self) -> Result<(), clap::Error> {
        if self.json && matches!(self.command, Command::Watch { .. }) {
            let message = "the argument '--json' is not for 'watch', which has no result: '--log json' writes its lines so";
            return Err(self.identity.command().error(ErrorKind::ArgumentConflict, message));
        }
        let other = match (self.json, self.verbose > 0) {
            _ if !self.quiet => return Ok(()),
            (true, _) => "--json",
            (false, true) => "--verbose",
            (false, false) => return Ok(()),
        };
        let message = format!("the argument '--quiet' cannot be used with '{other}'");
        Err(self.identity.command().error(ErrorKind::ArgumentConflict, message))
    }

    /// Returns the exit code for a signal that comes before the command has begun, if that is success. Signals are the
    /// normal end of a daemon.
    pub(crate) fn ended_by_signal(&self) -> Option<Exit> {
        matches!(self.command, Command::Watch { .. }).then_some(Exit::Success)
    }

    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    pub(crate) fn config(&self) -> &Path {
        &self.config
    }

    pub(crate) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    pub(crate) fn format(&self) -> Format {
        match (self.json, self.quiet) {
            (true, _) => Format::Json,
            (false, true) => Format::Quiet,
            (false, false) => Format::Text,
        }
    }

    pub(crate) fn verbosity(&self) -> Verbosity {
        match self.verbose {
            0 if self.quiet => Verbosity::Quiet,
            0 => Verbosity::Normal,
            1 => Verbosity::Verbose,
            _ => Verbosity::Everything,
        }
    }
}

/// Says whether the environment variable of an argument is set but empty.
fn is_set_but_empty(argument: &Arg) -> bool {
    argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty())
}

/// Escapes only the words that an error quotes, because the rest of it has several lines.
fn escaped(mut error: clap::Error) -> clap::Error {
    let quoted: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in quoted {
        match value {
            ContextValue::String(word) => {
                error.insert(kind, ContextValue::String(escape(&word).into_owned()));
            }
            ContextValue::Strings(words) => {
                let words = words.iter().map(|word| escape(word).into_owned()).collect();
                error.insert(kind, ContextValue::Strings(words));
            }
            _ => {}
        }
    }
    error
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "expected a duration such as \"30s\" or \"2m\"".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Identity::default().command().debug_assert();
    }

    #[test]
    fn a_wait_is_a_duration() {
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert!(duration("5").is_err());
    }
}
