//! The stock command: what a third party writes for its own, less its own providers.

use std::alloc::System;
use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

/// Wipes all memory that is freed: libraries drop copies of values without wiping them.
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    secretdir::Cli::with_builtins().run()
}
