//! The stock command: what a third party writes for its own, less its own providers.

use std::process::ExitCode;

fn main() -> ExitCode {
    secretdir::Cli::with_builtins().run()
}
