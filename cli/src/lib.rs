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

/// The command `secretdir` with a set of providers.
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
    /// Makes a command without providers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the stock command. It has the providers `aws-parameter-store`, `aws-secrets-manager`, `env`, `exec`,
    /// `file`, `http` and `vault`, as far as their features of this crate are on. The first two belong to the feature
    /// `aws`. The others have features of their own names.
    pub fn with_builtins() -> Self {
        builtins::added_to(Self::new())
    }

    /// Sets the name and version of the command for `--help`, `--version`, the man pages and the completions. The
    /// default is those of `secretdir`. For example, use `env!("CARGO_BIN_NAME")` and `env!("CARGO_PKG_VERSION")`.
    #[must_use]
    pub fn named(self, name: &'static str, version: &'static str) -> Self {
        Self { identity: Identity { name, version }, ..self }
    }

    /// Adds a provider. If its name is not valid or already taken, [`run`](Self::run) reports that.
    #[must_use]
    pub fn provider(mut self, provider: impl Provider) -> Self {
        if let Err(error) = self.registry.register(Box::new(provider)) {
            self.refused.push(error);
        }
        self
    }

    /// Registers that a provider was left out of this command, and the feature that adds it. A configuration with this
    /// provider gets an error that names the feature.
    #[must_use]
    pub fn without(mut self, provider: &'static str, feature: &'static str) -> Self {
        self.registry.leave_out(provider, feature);
        self
    }

    /// Runs the command with the arguments of the process, and returns its exit code.
    ///
    /// Call it while the process has only one thread. It sets the umask of the process to 077, and forbids core dumps,
    /// because the environment may contain secrets.
    ///
    /// After SIGINT, SIGTERM, SIGHUP or SIGQUIT, the process cleans up, and then ends by that signal. `exec` does not
    /// return if the program can be started, because the process becomes the program. For a panic, only the position is
    /// printed, here and in the rest of the process. Its message could contain a value.
    pub fn run(self) -> ExitCode {
        self.run_from(std::env::args_os()).into()
    }

    /// Runs the command with these arguments, and otherwise like [`run`](Self::run). The first argument is its name.
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

/// Keeps the kernel from writing a core dump, or passing it to a program. The environment may contain secrets from the
/// start. Programs that are started from here can be dumped as usual.
fn forbid_dumps() {
    // A kernel without this feature is no reason not to run.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
