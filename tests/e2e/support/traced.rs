//! The command under strace.

use secretdir_testkit::strace;

use super::{COMMAND, Ran, Site};

/// Runs the command under strace.
pub(crate) fn trace(site: &Site, arguments: &[&str], environment: &[(String, String)]) -> strace::Trace {
    strace::Trace::of(COMMAND, arguments, |command| {
        site.prepare(command);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
    })
}

/// Runs the command under strace, which does something to its calls: `fsync:error=EIO:when=1`.
pub(crate) fn inject(site: &Site, arguments: &[&str], faults: &[String]) -> Ran {
    strace::inject(COMMAND, arguments, faults, |command| site.prepare(command)).ran
}
