//! The command `secretdir` with the provider `age` beside the built-in ones.
//!
//! This is all that it takes: configuration, messages, exit codes, `check`, `status`, `schema` and `providers` are those of
//! the stock command, and know the new provider as they know the others.

use std::process::ExitCode;

use secretdir::Cli;
use secretdir_provider_age::AgeProvider;

fn main() -> ExitCode {
    Cli::with_builtins().named(env!("CARGO_BIN_NAME"), env!("CARGO_PKG_VERSION")).provider(AgeProvider).run()
}
