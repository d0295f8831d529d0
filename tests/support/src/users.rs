//! Tests that need to be root, and the ordinary user that root can run a program as.

use std::io::Write;

/// The ordinary user, by number: `nobody` on most systems, and nobody in particular on the others.
pub const OTHER_USER: u32 = 65534;

/// Says whether this test can be run. One that cannot says so past the test harness, loudly.
pub fn is_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        let line = format!("NOT RUN: {test}: needs root\n");
        drop(std::io::stderr().write_all(line.as_bytes()));
    }
    root
}
