#![doc = include_str!("../README.md")]

mod args;
mod builtins;
mod commands;
mod exit;
mod help;
mod host;
mod identity;
mod output;
mod setting;
mod signals;
mod starter;
mod trace;
mod umask;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use secretdir_engine::{ErrorReport, Registry, RegistryError};
use secretdir_provider::Provider;

pub use exit::Exit;

use args::Args;
use host::CliHost;
use identity::Identity;
use output::{Output, Stderr};
use signals::Signals;
use umask::Umask;

/// The command `secretdir`, with the providers that it knows.
///
/// ```no_run
/// # use secretdir_provider::*;
/// # struct MyProvider;
/// # impl Provider for MyProvider {
/// #     fn name(&self) -> &'static str { "mine" }
/// #     fn source(&self, _: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
/// #         Err(SettingsError::new("x", "y"))
/// #     }
/// # }
/// fn main() -> std::process::ExitCode {
///     secretdir::Cli::with_builtins().provider(MyProvider).run()
/// }
/// ```
#[derive(Debug, Default)]
pub struct Cli {
    identity: Identity,
    registry: Registry,
    refused: Vec<RegistryError>,
}

impl Cli {
    /// Makes a command that knows no provider.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the stock command: it knows `aws-parameter-store`, `aws-secrets-manager`, `env`, `exec`, `file`, `http` and `vault`, as
    /// far as the features of this crate are on that are called so; `aws` is that of the first two.
    pub fn with_builtins() -> Self {
        builtins::added_to(Self::new())
    }

    /// Gives the command a name and a version of its own, for `--help`, `--version`, the man pages and the completions: for example
    /// `env!("CARGO_BIN_NAME")` and `env!("CARGO_PKG_VERSION")`. By default they are those of `secretdir`.
    #[must_use]
    pub fn named(self, name: &'static str, version: &'static str) -> Self {
        Self { identity: Identity { name, version }, ..self }
    }

    /// Adds a provider. A name that is not valid, or there already, is reported by [`run`](Self::run).
    #[must_use]
    pub fn provider(mut self, provider: impl Provider) -> Self {
        if let Err(error) = self.registry.register(Box::new(provider)) {
            self.refused.push(error);
        }
        self
    }

    /// Notes that a provider was left out of this command, and the feature that would add it. Whoever names it in a configuration is told.
    #[must_use]
    pub fn without(mut self, provider: &'static str, feature: &'static str) -> Self {
        self.registry.leave_out(provider, feature);
        self
    }

    /// Runs the command with the arguments of the process, and returns its exit code.
    ///
    /// Sets the umask of the process to 077 and makes the process undumpable, as its environment may hold secrets; so call it while the process has one thread. If SIGINT, SIGTERM or SIGHUP comes,
    /// the process ends by that signal once nothing half-made is left. With `exec` it does not return if the program can be
    /// started, which then is what this process runs. A panic is told by its place alone, here and in the
    /// rest of the process: its message could hold a value.
    pub fn run(self) -> ExitCode {
        self.run_from(std::env::args_os()).into()
    }

    /// Runs the command with these arguments, the first of which is its name, and otherwise like [`run`](Self::run).
    pub fn run_from(self, arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Exit {
        let umask = Umask::tighten();
        forbid_dumps();
        let stderr = Stderr::look();
        std::panic::set_hook(Box::new(move |panic| stderr.panicked(panic.location())));
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let args = match Args::read(&arguments, self.identity) {
            Ok(args) => args,
            Err(error) => {
                return output::usage(
                    &error,
                    Args::misread(&arguments),
                    Args::misread_format(&arguments),
                    stderr,
                );
            }
        };
        let output = Output::new(args.format(), stderr, args.failures());
        trace::start(args.verbosity());
        if !self.refused.is_empty() {
            let errors: Vec<_> = self.refused.iter().map(ErrorReport::from).collect();
            return output.failed(&errors, &[]);
        }
        let signals = match Signals::begin(args.ended_by_signal()) {
            Ok(signals) => signals,
            Err(error) => return output.failed(&[commands::not_begun(&error)], &[]),
        };
        let host = CliHost::new(umask, signals.clone(), args.verbosity());
        let exit = commands::run(&args, &self.registry, &host, &output);
        signals.end_if_signalled();
        exit
    }
}

/// Keeps what the kernel would dump of a crash from being written, or handed to a program: the environment may hold secrets,
/// and does so from the beginning. A program that is started from here is dumpable as ever.
fn forbid_dumps() {
    // A kernel that cannot do that is no reason not to run.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
