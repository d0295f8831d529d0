//! `[on-change]`: a command that runs after the flip, once for the whole set, and at least once for each change.
//!
//! The command runs after unlocking, so it may call secretdir; the claim on the note keeps a second run that finds it
//! pending from running it at the same time. When it runs, and what is noted of it: [`announce`](super::announce).
//!
//! It runs in the folder of the configuration, and a program with a slash in its name is found from there: or in `/`, if the
//! configuration comes through a pipe. That is the same for the programs of the provider `exec`, wherever secretdir was
//! started.
//!
//! No shell. The environment is an allow-list, since the runner's own may hold the very secrets that are published.
//! Nothing is on standard input; standard output goes where standard error goes.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use secretdir_helpers::ProcessGroup;
use secretdir_helpers::interpreter::{self, Missing};
use secretdir_provider::Deadline;
use tokio::process::{Child, Command};

use crate::host::Host;
use crate::plan::{OnChange, Plan};

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

/// How long a command that ran out of time has between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// How long to sleep between two looks at a command that is to end.
const POLL: Duration = Duration::from_millis(20);

/// Why the command of `[on-change]` did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnChangeError {
    /// It could not be started.
    #[error("cannot start the on-change command `{program}`")]
    Start {
        /// Its first word.
        program: String,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// It is there, but what runs it is not.
    #[error("cannot start the on-change command `{program}`: {missing}")]
    Lacking {
        /// Its first word.
        program: String,
        /// What is not there.
        missing: Missing,
    },
    /// Its end could not be waited for.
    #[error("cannot wait for the on-change command `{program}`")]
    Wait {
        /// Its first word.
        program: String,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// It ended, but not well.
    #[error("the on-change command `{program}` failed: {status}")]
    Failed {
        /// Its first word.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// It did not end in time, and was killed with all that it had started.
    #[error("the on-change command `{program}` did not end within {}", humantime::format_duration(*.timeout))]
    TimedOut {
        /// Its first word.
        program: String,
        /// The time that it had.
        timeout: Duration,
    },
}

impl OnChangeError {
    fn start(program: String, located: &Path, cause: io::Error) -> Self {
        let is_not_found = cause.kind() == io::ErrorKind::NotFound;
        match interpreter::missing(located.as_os_str()).filter(|_| is_not_found) {
            Some(missing) => Self::Lacking { program, missing },
            None => Self::Start { program, cause },
        }
    }

    /// Returns what a person can do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Start { cause, .. } if cause.kind() != io::ErrorKind::NotFound => interpreter::hint(cause),
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
            Self::TimedOut { .. } => Some("raise `timeout` under [on-change] if it is only slow"),
            _ => None,
        }
    }
}

/// Runs the command to its end, and not longer than its timeout.
pub(crate) async fn run(on_change: &OnChange, plan: &Plan, host: &dyn Host) -> Result<(), OnChangeError> {
    let program = || on_change.program.clone();
    let mut child = start(on_change, plan, host)
        .map_err(|cause| OnChangeError::start(program(), &located(on_change, plan), cause))?;
    let mut group = ProcessGroup::of(child.id());
    let status = match tokio::time::timeout(on_change.timeout, child.wait()).await {
        Ok(status) => status.map_err(|cause| OnChangeError::Wait { program: program(), cause })?,
        Err(_) => {
            end(&mut group, &mut child, host).await;
            return Err(OnChangeError::TimedOut { program: program(), timeout: on_change.timeout });
        }
    };
    group.release();
    if status.success() { Ok(()) } else { Err(OnChangeError::Failed { program: program(), status }) }
}

fn start(on_change: &OnChange, plan: &Plan, host: &dyn Host) -> io::Result<Child> {
    let output = io::stderr().as_fd().try_clone_to_owned()?;
    let mut command = Command::new(located(on_change, plan));
    command
        .args(&on_change.arguments)
        .env_clear()
        .envs(environment())
        .env("SECRETDIR_PATH", std::path::absolute(plan.link())?)
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
fn located(on_change: &OnChange, plan: &Plan) -> PathBuf {
    let program = &on_change.program;
    if program.contains('/') { folder(plan).join(program) } else { PathBuf::from(program) }
}

fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| {
        name.to_str().is_some_and(|name| PASSED_ON.contains(&name) || name.starts_with("LC_"))
    })
}

/// Gives this process another umask while a child is started: the child keeps it. Nothing else is created meanwhile, as
/// the run awaits nothing in between.
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
