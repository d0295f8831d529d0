//! Runs the commands of a configuration: `[verify]` before the flip, `[on-change]` after it.
//!
//! A command runs in the folder of the configuration. A relative path of a program with a slash starts there too. If the
//! configuration comes through a pipe, `/` replaces this folder. So a command does not depend on where secretdir was
//! started. The same holds for the programs of the provider `exec`.
//!
//! There is no shell. The environment is an allow-list, because the full environment may contain the very secrets that are
//! published. Standard input is empty, and standard output goes to standard error.

use std::ffi::OsString;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use std::{fmt, io};

use secretdir_helpers::ProcessGroup;
use secretdir_helpers::interpreter::{self, Missing};
use secretdir_provider::Deadline;
use tokio::process::{Child, Command};

use crate::escape::escape;
use crate::host::Host;
use crate::plan::{HookCommand, Plan};

/// The environment variables that a command inherits, besides `LC_*`.
const PASSED_ON: &[&str] = &[
    "DBUS_SESSION_BUS_ADDRESS",
    "HOME",
    "LANG",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_RUNTIME_DIR",
];

/// The exit code of `env` and of shells if they do not find a program.
const NOT_FOUND: i32 = 127;

/// The time between SIGTERM and SIGKILL for a command that ran into its time-out.
const GRACE: Duration = Duration::from_secs(2);

/// The polling interval for a command that must end.
const POLL: Duration = Duration::from_millis(20);

/// The kind of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hook {
    /// The command of `[verify]`.
    Verify,
    /// The command of `[on-change]`.
    OnChange,
}

impl Hook {
    pub(crate) fn section(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::OnChange => "on-change",
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} command", self.section())
    }
}

/// The reason why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// The command could not be started.
    #[error("cannot start {hook} `{program}`")]
    Start {
        /// The kind of the command.
        hook: Hook,
        /// The program, which is the first word of the command.
        program: String,
        /// The error of the operating system.
        #[source]
        cause: io::Error,
    },
    /// The program exists, but its interpreter does not.
    #[error("cannot start {hook} `{program}`: {missing}")]
    Lacking {
        /// The kind of the command.
        hook: Hook,
        /// The program, which is the first word of the command.
        program: String,
        /// The missing part.
        missing: Missing,
    },
    /// Waiting for the end of the command failed.
    #[error("cannot wait for {hook} `{program}`")]
    Wait {
        /// The kind of the command.
        hook: Hook,
        /// The program, which is the first word of the command.
        program: String,
        /// The error of the operating system.
        #[source]
        cause: io::Error,
    },
    /// The command ended with a failure.
    #[error("{hook} `{program}` failed: {status}")]
    Failed {
        /// The kind of the command.
        hook: Hook,
        /// The program, which is the first word of the command.
        program: String,
        /// The exit code, or the signal that ended it.
        status: ExitStatus,
        /// A hint for the user, if there is one.
        advice: Option<&'static str>,
    },
    /// The command ran into its time-out, and was killed with all processes that it had started.
    #[error("{hook} `{program}` did not end within {}", humantime::format_duration(*.timeout))]
    TimedOut {
        /// The kind of the command.
        hook: Hook,
        /// The program, which is the first word of the command.
        program: String,
        /// The time-out.
        timeout: Duration,
    },
    /// The command changed the set that it should only read.
    #[error("{hook} `{program}` changed the set: `{}` differs", escape(.name))]
    Changed {
        /// The kind of the command.
        hook: Hook,
        /// The program, which is the first word of the command.
        program: String,
        /// The first file or directory that differs; `.` is the set itself.
        name: String,
    },
}

impl HookError {
    fn start(hook: Hook, program: String, located: &Path, cause: io::Error) -> Self {
        let is_not_found = cause.kind() == io::ErrorKind::NotFound;
        match interpreter::missing(located.as_os_str()).filter(|_| is_not_found) {
            Some(missing) => Self::Lacking { hook, program, missing },
            None => Self::Start { hook, program, cause: interpreter::why(located.as_os_str(), cause) },
        }
    }

    /// Returns a hint for the user.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Start { cause, .. } if cause.kind() != io::ErrorKind::NotFound => interpreter::hint(cause),
            Self::Failed { advice, .. } => *advice,
            Self::Start { program, .. } if program.contains(char::is_whitespace) => {
                Some("write the program and each argument as separate strings: no shell splits a command")
            }
            Self::Start { program, .. } if !program.contains('/') => {
                Some("no folder of PATH has it: write its full path")
            }
            Self::Start { program, .. } if !program.starts_with('/') => {
                Some("a relative path with a slash starts at the folder of the configuration file")
            }
            Self::Lacking { missing, .. } => Some(missing.hint()),
            Self::TimedOut { hook: Hook::OnChange, .. } => {
                Some("raise `timeout` under [on-change] if the command is only slow")
            }
            Self::TimedOut { hook: Hook::Verify, .. } => {
                Some("raise `timeout` under [verify] if the command is only slow")
            }
            Self::Changed { .. } => {
                Some("let it write to another place: it may read the set, but not change it")
            }
            _ => None,
        }
    }
}

/// Returns an error if a command cannot be started on this machine. It does not start the command.
pub(crate) fn ensure_startable(hook: Hook, command: &HookCommand, plan: &Plan) -> Result<(), HookError> {
    let located = located(command, plan);
    let error = |cause| HookError::start(hook, command.program.clone(), &located, cause);
    interpreter::ensure_startable(located.as_os_str(), folder(plan)).map_err(error)
}

/// Runs a command until it ends or its time-out passes. `set` is the path of the set for the command.
pub(crate) async fn run(
    hook: Hook,
    command: &HookCommand,
    set: &Path,
    plan: &Plan,
    host: &dyn Host,
) -> Result<(), HookError> {
    let program = || command.program.clone();
    let mut child = start(command, set, plan, host)
        .map_err(|cause| HookError::start(hook, program(), &located(command, plan), cause))?;
    let mut group = ProcessGroup::of(child.id());
    let status = match tokio::time::timeout(command.timeout, child.wait()).await {
        Ok(status) => status.map_err(|cause| HookError::Wait { hook, program: program(), cause })?,
        Err(_) => {
            end(&mut group, &mut child, host).await;
            return Err(HookError::TimedOut { hook, program: program(), timeout: command.timeout });
        }
    };
    group.release();
    if status.success() {
        return Ok(());
    }
    let is_of_windows =
        status.code() == Some(NOT_FOUND) && interpreter::ends_in_return(located(command, plan).as_os_str());
    let advice = is_of_windows.then_some(interpreter::CARRIAGE_RETURNS);
    Err(HookError::Failed { hook, program: program(), status, advice })
}

fn start(wanted: &HookCommand, set: &Path, plan: &Plan, host: &dyn Host) -> io::Result<Child> {
    let output = io::stderr().as_fd().try_clone_to_owned()?;
    let mut command = Command::new(located(wanted, plan));
    command
        .args(&wanted.arguments)
        .env_clear()
        .envs(environment())
        .env("SECRETDIR_PATH", std::path::absolute(set)?)
        .current_dir(folder(plan))
        .stdin(Stdio::null())
        .stdout(Stdio::from(output))
        .process_group(0);
    // Descriptors that this process opened close on exec; inherited ones may not. This is repeated for each command,
    // because a program that embeds the engine may have opened more.
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
    let _umask = host.child_umask().map(UmaskForChild::set);
    command.spawn()
}

/// Returns the folder in which the command runs.
fn folder(plan: &Plan) -> &Path {
    plan.folder.as_deref().unwrap_or(Path::new("/"))
}

/// Returns the path of the program. A name without a slash is found through PATH.
fn located(command: &HookCommand, plan: &Plan) -> PathBuf {
    let program = &command.program;
    if program.contains('/') { folder(plan).join(program) } else { PathBuf::from(program) }
}

fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| {
        name.to_str().is_some_and(|name| PASSED_ON.contains(&name) || name.starts_with("LC_"))
    })
}

/// Sets the umask of this process while a child is started, which inherits it. No other file is created meanwhile: the run
/// does not await in between. The loop of `watch` may write its metrics during a turn, but sets their mode itself.
struct UmaskForChild(rustix::fs::Mode);

impl UmaskForChild {
    fn set(umask: u32) -> Self {
        Self(rustix::process::umask(rustix::fs::Mode::from_raw_mode(umask)))
    }
}

impl Drop for UmaskForChild {
    fn drop(&mut self) {
        rustix::process::umask(self.0);
    }
}

/// Terminates the command, and then kills it with all processes that it started. The kernel cannot reuse the ID of the
/// process group until the command has been waited for. So the last signal is sent before that.
async fn end(group: &mut ProcessGroup, child: &mut Child, host: &dyn Host) {
    group.terminate();
    let deadline = Deadline::after(GRACE, host.clock());
    while !group.leader_has_ended() && !deadline.has_passed() {
        host.sleep(POLL).await;
    }
    group.kill();
    // After SIGKILL this is quick. Its result does not matter, because no process is left to wait for.
    let _ = child.wait().await;
    group.release();
}
