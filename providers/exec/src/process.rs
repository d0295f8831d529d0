//! Starts a process with only what it needs, and ends it together with every process that it started.
//!
//! It has the resource limits that the run was started with, and no shell. It gets only the variables that the settings
//! name, its three standard descriptors, and a process group of its own. However a fetch ends, the whole group is
//! killed, even if its future is dropped. A process that leaves its group (`setsid`) is out of reach.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use secretdir_helpers::ProcessGroup;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::signal::unix::{SignalKind, signal};

use crate::settings::Setup;

/// A process that runs, or has just ended.
pub(crate) struct Process {
    child: Child,
    group: ProcessGroup,
    ends_of_children: tokio::signal::unix::Signal,
}

/// Our ends of the pipes to a process.
pub(crate) struct Pipes {
    /// None if standard input is not a pipe.
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: ChildStdout,
    pub(crate) stderr: ChildStderr,
}

impl Process {
    /// Starts a program in the folder of the configuration.
    pub(crate) fn start(
        program: &str,
        arguments: &[String],
        setup: &Setup,
        stdin: Stdio,
    ) -> io::Result<(Self, Pipes)> {
        // The signal handler is installed before there is a child. It also undoes an inherited setting that ignores SIGCHLD.
        let ends_of_children = signal(SignalKind::child())?;
        let folder = std::path::absolute(&setup.base_dir)?;
        // Descriptors that this process opened itself are closed on exec, but inherited ones may not be. This is
        // repeated for each process, because the program around this provider may have opened more.
        close_fds::set_fds_cloexec_threadsafe(3, &[]);
        let _core_limit = setup.core_limit.during()?;
        let mut child = Command::new(resolve(program, &folder))
            .args(arguments)
            .env_clear()
            .envs(environment(&setup.environment))
            .current_dir(folder)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let group = ProcessGroup::of(child.id());
        let pipes = child.stdout.take().zip(child.stderr.take());
        let (stdout, stderr) = pipes.ok_or(io::ErrorKind::BrokenPipe)?;
        let pipes = Pipes { stdin: child.stdin.take(), stdout, stderr };
        Ok((Self { child, group, ends_of_children }, pipes))
    }

    /// Waits until the process has ended, and kills every process that it left running. It is reaped only after this
    /// signal, so its ID cannot be reused before.
    pub(crate) async fn end(&mut self) -> io::Result<ExitStatus> {
        while !self.group.leader_has_ended() {
            if self.ends_of_children.recv().await.is_none() {
                break;
            }
        }
        self.group.kill();
        let status = self.child.wait().await;
        self.group.release();
        status
    }

    /// Kills the process and its group, and waits until the process is gone.
    pub(crate) async fn kill(&mut self) {
        self.group.kill();
        // After SIGKILL this does not take long. If it fails, there is nothing left to wait for.
        let _ = self.child.wait().await;
        self.group.release();
    }
}

/// Resolves a program. A name with a slash starts at the folder of the configuration, any other is searched in PATH.
fn resolve(program: &str, folder: &std::path::Path) -> PathBuf {
    if program.contains('/') { folder.join(program) } else { PathBuf::from(program) }
}

fn environment(names: &[String]) -> impl Iterator<Item = (&String, OsString)> {
    names.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value)))
}
