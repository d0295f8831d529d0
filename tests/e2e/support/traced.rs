//! The command under strace: what it asked of the kernel, and what happens if the kernel answers otherwise.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use super::{COMMAND, Ran, Site};

/// Calls that say nothing of what a run does: memory, clocks, threads, and the loading of the program.
const NOISE: &[&str] = &[
    "brk",
    "mmap",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "futex",
    "getrandom",
    "clock_gettime",
    "gettimeofday",
    "rt_sigprocmask",
    "restart_syscall",
];

/// One system call of the main thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// How many calls of this name there were up to it, itself included: what `when=` counts.
    pub(crate) nth: usize,
    pub(crate) line: String,
}

/// The calls of one run.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) ran: Ran,
    pub(crate) calls: Vec<Call>,
}

impl Trace {
    /// Runs the command under strace.
    pub(crate) fn of(site: &Site, arguments: &[&str], environment: &[(String, String)]) -> Self {
        let output = site.path().join("trace");
        let mut command = Command::new("strace");
        command.args(["-s", "4096", "-o"]).arg(&output).arg("--").arg(COMMAND).args(arguments);
        site.prepare(&mut command);
        let ran = Ran::of(command.envs(environment.iter().map(|(name, value)| (name, value))));
        let text = fs::read_to_string(&output).unwrap();
        fs::remove_file(output).unwrap();
        Self { ran, calls: parse(&text) }
    }

    /// Returns the calls from the first one whose line has this text in it.
    pub(crate) fn since(&self, text: &str) -> &[Call] {
        let first = self.calls.iter().position(|call| call.line.contains(text));
        &self.calls[first.unwrap_or_else(|| panic!("no {text:?} in {:#?}", self.calls))..]
    }

    /// Returns how many calls there were, without noise.
    pub(crate) fn count(&self) -> usize {
        count(&self.calls)
    }
}

/// Counts calls, without noise. A debug build of Rust's library asks of a descriptor whether it is open before closing it.
pub(crate) fn count(calls: &[Call]) -> usize {
    let debug = |call: &&Call| call.name == "fcntl" && call.line.contains("F_GETFD");
    calls.iter().filter(|call| !NOISE.contains(&call.name.as_str()) && !debug(call)).count()
}

fn parse(text: &str) -> Vec<Call> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let calls = text.lines().filter_map(|line| line.split_once('(').map(|(name, _)| (name, line)));
    let calls =
        calls.filter(|(name, _)| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    calls
        .map(|(name, line)| {
            let nth = seen.entry(name.to_owned()).or_default();
            *nth += 1;
            Call { name: name.to_owned(), nth: *nth, line: line.to_owned() }
        })
        .collect()
}

/// Runs the command under strace, which does something to one call: `signal=SIGKILL`, `error=ENOSPC`.
pub(crate) fn inject(site: &Site, arguments: &[&str], call: &Call, fault: &str) -> Ran {
    inject_all(site, arguments, &[(&call.name, call.nth, fault)])
}

/// Does something to several calls: each by its name, and by its number among those of its name.
pub(crate) fn inject_all(site: &Site, arguments: &[&str], faults: &[(&str, usize, &str)]) -> Ran {
    let names: Vec<_> = faults.iter().map(|(name, ..)| *name).collect();
    let mut command = Command::new("strace");
    command.args(["-o", "/dev/null", "-e", &format!("trace={}", names.join(","))]);
    for (name, nth, fault) in faults {
        command.args(["-e", &format!("inject={name}:{fault}:when={nth}")]);
    }
    site.prepare(command.arg("--").arg(COMMAND).args(arguments));
    Ran::of(&mut command)
}
