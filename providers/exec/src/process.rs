//! One process: given nothing that it was not meant to have, and ended together with all that it started.
//!
//! It has the limits of whoever started the run, no shell, no variable but those that the settings name, no descriptor but its three standard ones, and a
//! process group of its own. However a fetch ends, also when its future is dropped, the whole group is killed. A process
//! that leaves its group (`setsid`) is out of reach.

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
    /// None if it has nothing on standard input.
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
        // Listening begins before there is anything to hear. It also takes back an ignored SIGCHLD that was inherited.
        let ends_of_children = signal(SignalKind::child())?;
        let folder = std::path::absolute(&setup.base_dir)?;
        // What this process opened itself is closed on exec; what it inherited may not be. Each time, since a program
        // around this one may have opened more.
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

    /// Waits until the process has ended, and kills what it left running. Its number stays its own meanwhile: it is
    /// waited for only after the signal has gone out.
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

    /// Kills the process and all that it started, and waits until it is gone.
    pub(crate) async fn kill(&mut self) {
        self.group.kill();
        // After SIGKILL this does not take long; whatever it says, there is nobody left to wait for.
        let _ = self.child.wait().await;
        self.group.release();
    }
}

/// A program with a slash in its name is found from the folder of the configuration, any other in PATH.
fn resolve(program: &str, folder: &std::path::Path) -> PathBuf {
    if program.contains('/') { folder.join(program) } else { PathBuf::from(program) }
}

fn environment(names: &[String]) -> impl Iterator<Item = (&String, OsString)> {
    names.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value)))
}
