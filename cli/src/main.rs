//! The stock command. A third party writes the same for its own, and adds its providers.

use std::alloc::System;
use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

/// Wipes all memory that is freed, because libraries drop copies of values without wiping them.
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    secretdir::Cli::with_builtins().run()
}
