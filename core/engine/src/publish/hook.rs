//! The commands of a configuration: `[verify]` before the flip, `[on-change]` after it.
//!
//! A command runs in the folder of the configuration, and a program with a slash in its name is found from there: or in `/`, if the
//! configuration comes through a pipe. That is the same for the programs of the provider `exec`, wherever secretdir was
//! started.
//!
//! No shell. The environment is an allow-list, since the runner's own may hold the very secrets that are published.
//! Nothing is on standard input; standard output goes where standard error goes.

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

/// What of the runner's environment a command gets, besides `LC_*`.
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

/// What `env` and shells end with if they do not find a program.
const NOT_FOUND: i32 = 127;

/// How long a command that ran out of time has between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// How long to sleep between two looks at a command that is to end.
const POLL: Duration = Duration::from_millis(20);

/// Which command it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hook {
    /// That of `[verify]`.
    Verify,
    /// That of `[on-change]`.
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

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// It could not be started.
    #[error("cannot start {hook} `{program}`")]
    Start {
        /// Which command it is.
        hook: Hook,
        /// Its first word.
        program: String,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// It is there, but what runs it is not.
    #[error("cannot start {hook} `{program}`: {missing}")]
    Lacking {
        /// Which command it is.
        hook: Hook,
        /// Its first word.
        program: String,
        /// What is not there.
        missing: Missing,
    },
    /// Its end could not be waited for.
    #[error("cannot wait for {hook} `{program}`")]
    Wait {
        /// Which command it is.
        hook: Hook,
        /// Its first word.
        program: String,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// It ended, but not well.
    #[error("{hook} `{program}` failed: {status}")]
    Failed {
        /// Which command it is.
        hook: Hook,
        /// Its first word.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What a person can do, if that can be told.
        advice: Option<&'static str>,
    },
    /// It did not end in time, and was killed with all that it had started.
    #[error("{hook} `{program}` did not end within {}", humantime::format_duration(*.timeout))]
    TimedOut {
        /// Which command it is.
        hook: Hook,
        /// Its first word.
        program: String,
        /// The time that it had.
        timeout: Duration,
    },
    /// It changed the set that it was to look at.
    #[error("{hook} `{program}` changed the set: `{}` differs", escape(.name))]
    Changed {
        /// Which command it is.
        hook: Hook,
        /// Its first word.
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

    /// Returns what a person can do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Start { cause, .. } if cause.kind() != io::ErrorKind::NotFound => interpreter::hint(cause),
            Self::Failed { advice, .. } => *advice,
            Self::Start { program, .. } if program.contains(char::is_whitespace) => {
                Some("write the program and each argument by themselves: no shell takes a command apart")
            }
            Self::Start { program, .. } if !program.contains('/') => {
                Some("it is in none of the folders of PATH: write its whole path")
            }
            Self::Start { program, .. } if !program.starts_with('/') => {
                Some("a path with a slash counts from the folder of the configuration file")
            }
            Self::Lacking { missing, .. } => Some(missing.hint()),
            Self::TimedOut { hook: Hook::OnChange, .. } => {
                Some("raise `timeout` under [on-change] if it is only slow")
            }
            Self::TimedOut { hook: Hook::Verify, .. } => {
                Some("raise `timeout` under [verify] if it is only slow")
            }
            Self::Changed { .. } => Some("have it write elsewhere: it may read the set, and not change it"),
            _ => None,
        }
    }
}

/// Finds out whether a command could be started on this machine, without doing it.
pub(crate) fn ensure_startable(hook: Hook, command: &HookCommand, plan: &Plan) -> Result<(), HookError> {
    let located = located(command, plan);
    let error = |cause| HookError::start(hook, command.program.clone(), &located, cause);
    interpreter::ensure_startable(located.as_os_str(), folder(plan)).map_err(error)
}

/// Runs a command to its end, and not longer than its timeout. `set` is where it finds the set.
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
    // What this process opened itself is closed on exec; what it inherited may not be. Each time, since a program around this
    // one may have opened more.
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
    let _umask = host.child_umask().map(UmaskForChild::set);
    command.spawn()
}

/// Returns where the command runs.
fn folder(plan: &Plan) -> &Path {
    plan.folder.as_deref().unwrap_or(Path::new("/"))
}

/// Without a slash a program is looked up in PATH.
fn located(command: &HookCommand, plan: &Plan) -> PathBuf {
    let program = &command.program;
    if program.contains('/') { folder(plan).join(program) } else { PathBuf::from(program) }
}

fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| {
        name.to_str().is_some_and(|name| PASSED_ON.contains(&name) || name.starts_with("LC_"))
    })
}

/// Gives this process another umask while a child is started: the child keeps it. Nothing else is created meanwhile: the run awaits
/// nothing in between, and what the loop of `watch` may write during a turn, its metrics, has a mode of its own.
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

/// Asks the command to end, then kills it with all that it started. The number of the group is its own until the command has been
/// waited for, so the last signal goes out before that.
async fn end(group: &mut ProcessGroup, child: &mut Child, host: &dyn Host) {
    group.terminate();
    let deadline = Deadline::after(GRACE, host.clock());
    while !group.leader_has_ended() && !deadline.has_passed() {
        host.sleep(POLL).await;
    }
    group.kill();
    // After SIGKILL this does not take long; whatever it says, there is nobody left to wait for.
    let _ = child.wait().await;
    group.release();
}
