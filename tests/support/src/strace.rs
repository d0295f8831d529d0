//! A program under strace: what it asked of the kernel, and what happens if the kernel answers otherwise.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::process::Command;

use crate::Ran;

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
    "sigaltstack",
    "restart_syscall",
];

/// One system call of the main thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The call's name.
    pub name: String,
    /// How many calls of this name there were up to it, itself included: what `when=` counts.
    pub nth: usize,
    /// What strace says of it.
    pub line: String,
}

impl Call {
    /// Returns what makes strace do something to this call alone, such as `error=ENOSPC` or `signal=SIGKILL`.
    ///
    /// A signal is sent before the call takes effect; an error comes instead of its taking effect.
    pub fn fault(&self, what: &str) -> String {
        format!("{}:{what}:when={}", self.name, self.nth)
    }

    /// Returns what makes strace do something to this call and to all later ones of its name.
    pub fn lasting_fault(&self, what: &str) -> String {
        format!("{}+", self.fault(what))
    }
}

/// The calls of one run.
#[derive(Debug)]
pub struct Trace {
    /// How it went.
    pub ran: Ran,
    /// What its main thread called, in order.
    pub calls: Vec<Call>,
}

impl Trace {
    /// Runs a program under strace, in a process that is prepared by a closure.
    #[track_caller]
    pub fn of<A: AsRef<OsStr>>(
        program: impl AsRef<OsStr>,
        arguments: &[A],
        prepare: impl FnOnce(&mut Command),
    ) -> Self {
        Self::with_fault(program, arguments, None, prepare)
    }

    /// Does something to some of its calls as well: `fsync:error=EIO:when=1`.
    #[track_caller]
    pub fn with_fault<A: AsRef<OsStr>>(
        program: impl AsRef<OsStr>,
        arguments: &[A],
        fault: Option<&str>,
        prepare: impl FnOnce(&mut Command),
    ) -> Self {
        let output = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::new("strace");
        if let Some(fault) = fault {
            command.args(["-e", &format!("inject={fault}")]);
        }
        command.args(["-s", "4096", "-o"]).arg(output.path()).arg("--").arg(program).args(arguments);
        prepare(&mut command);
        let ran = Ran::of(&mut command);
        let text = std::fs::read_to_string(output.path()).unwrap();
        Self { ran, calls: parse(&text) }
    }

    /// Returns the calls from the first one whose line has this text in it.
    #[track_caller]
    pub fn since(&self, text: &str) -> &[Call] {
        let first = self.calls.iter().position(|call| call.line.contains(text));
        let first = first.unwrap_or_else(|| panic!("no {text:?} in {:#?}", self.calls));
        self.calls.get(first..).unwrap_or_default()
    }

    /// Returns how many calls there were, without noise.
    pub fn count(&self) -> usize {
        count(&self.calls)
    }
}

/// Counts calls, without noise.
pub fn count(calls: &[Call]) -> usize {
    calls.iter().filter(|call| !is_noise(call)).count()
}

/// Says whether a call tells nothing of what a run does. A debug build of Rust's library asks of a descriptor whether it
/// is open before closing it.
pub fn is_noise(call: &Call) -> bool {
    NOISE.contains(&call.name.as_str()) || (call.name == "fcntl" && call.line.contains("F_GETFD"))
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

/// A run in which calls did not do what they should have done.
#[derive(Debug)]
pub struct Injected {
    /// How it went.
    pub ran: Ran,
    /// How many calls had something done to them.
    pub times: usize,
}

/// Runs a program under strace, which does something to some of its calls: `fsync:error=EIO:when=1`.
#[track_caller]
pub fn inject<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: &[A],
    faults: &[String],
    prepare: impl FnOnce(&mut Command),
) -> Injected {
    let output = tempfile::NamedTempFile::new().unwrap();
    let names: Vec<_> = faults.iter().filter_map(|fault| fault.split(':').next()).collect();
    let mut command = Command::new("strace");
    // A fault is only done to calls that are traced.
    command.arg("-o").arg(output.path()).args(["-e", &format!("trace={}", names.join(","))]);
    for fault in faults {
        command.args(["-e", &format!("inject={fault}")]);
    }
    prepare(command.arg("--").arg(program).args(arguments));
    let ran = Ran::of(&mut command);
    let text = std::fs::read_to_string(output.path()).unwrap();
    Injected { ran, times: text.matches("(INJECTED").count() }
}
