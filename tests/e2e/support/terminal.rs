//! The command on a terminal.

use std::process::Command;

use super::{COMMAND, Ran, Site};

/// Starts a program with a terminal, writes what it shows to its own standard output, and ends as the program did.
const TERMINAL: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

/// Tells the terminal how wide it is, and becomes the command.
const SIZED: &str = "stty columns \"$COLUMNS\" && exec \"$0\" \"$@\"";

/// Runs the command on a terminal, which does not say how wide it is unless COLUMNS is among the variables. Returns what it
/// shows as its standard output.
pub(crate) fn on_a_terminal(site: &Site, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut python = Command::new("python3");
    let is_sized = variables.iter().any(|(name, _)| *name == "COLUMNS");
    let shell: &[&str] = if is_sized { &["sh", "-c", SIZED] } else { &[] };
    site.prepare(python.args(["-c", TERMINAL]).args(shell).arg(COMMAND).args(arguments));
    Ran::of(python.env("TERM", "xterm").envs(variables.iter().copied()))
}
