//! `secretdir exec`: replaces this process by a program, with the current set pinned.
//!
//! The link, its directory and the generation must pass the same checks as for `status`. So the program never reads
//! files that another user put in their place. If root starts the program, no other user may be able to replace the
//! directories on the path, as when root publishes. These checks open no published file, so the start takes equally
//! long for every set.
//!
//! The pin is a shared lock on the open directory of the generation. `execve` passes the descriptor and the lock to the
//! program, and its children inherit both. The kernel releases the lock when the last of them exits. A program that
//! closes inherited descriptors releases it earlier.
//!
//! No process stays in between: signals, the exit code and the process ID are the program's own.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, RawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use atomicdir::Snapshot;
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::getpid;
use secretdir_engine::{ErrorKind, ErrorReport, Location};
use secretdir_helpers::interpreter::{self, Missing};

use crate::Exit;
use crate::host::CliHost;
use crate::output::Output;

/// The variable with the path of the generation's own directory.
const PATH: &str = "SECRETDIR_PATH";

/// The most sockets that are passed on, which is more than any unit has.
const MOST_SOCKETS: RawFd = 1000;

/// The reason why the program does not replace this process.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExecError {
    #[error("nothing is published at `{}`", .0.display())]
    NothingPublished(PathBuf),
    #[error(transparent)]
    GenerationGone(atomicdir::Error),
    #[error(transparent)]
    NotPinned(atomicdir::Error),
    #[error("the pin on `{}` cannot be passed to the program", .path.display())]
    NotHandedOn {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("`{}` was not found", .0.display())]
    NotFound(OsString),
    #[error("`{}` cannot be run: {missing}", .program.display())]
    Lacking { program: OsString, missing: Missing },
    #[error("`{}` cannot be run", .program.display())]
    NotRunnable {
        program: OsString,
        #[source]
        cause: io::Error,
    },
}

impl ExecError {
    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> Option<&str> {
        match self {
            Self::NothingPublished(_) => Some("run `secretdir sync` first"),
            Self::GenerationGone(_) => {
                Some("the current generation is missing: run `secretdir sync` to publish it again")
            }
            Self::NotPinned(error) => error.hint(),
            Self::Lacking { missing, .. } => Some(missing.hint()),
            Self::NotRunnable { cause, .. } => interpreter::hint(cause),
            Self::NotFound(program) => not_found(program),
            _ => None,
        }
    }
}

fn not_found(program: &OsStr) -> Option<&'static str> {
    let text = program.to_string_lossy();
    if text.contains(char::is_whitespace) {
        Some("pass the program and each argument as separate words: `exec -- echo hi`")
    } else if text.starts_with(['~', '$', '%']) {
        Some("no shell expands this: write the full path")
    } else if !text.contains('/') {
        Some("no folder of PATH has it: write its full path")
    } else {
        let is_relative = !text.starts_with('/');
        is_relative.then_some("a relative path with a slash starts at the current folder")
    }
}

impl From<&ExecError> for ErrorReport {
    fn from(error: &ExecError) -> Self {
        let report = |kind| Self::new(kind, error).with_hint(error.hint());
        let of_program = |kind, program: &OsStr| report(kind).at_path(Path::new(program));
        match error {
            ExecError::NothingPublished(link) => report(ErrorKind::NothingPublished).at_path(link),
            ExecError::GenerationGone(gone) => report(ErrorKind::NothingPublished).at_path(gone.path()),
            ExecError::NotPinned(error) => error.into(),
            ExecError::NotHandedOn { path, .. } => report(ErrorKind::PinNotHandedOn).at_path(path),
            ExecError::NotFound(program) => of_program(ErrorKind::ProgramNotFound, program),
            ExecError::Lacking { program, .. } | ExecError::NotRunnable { program, .. } => {
                of_program(ErrorKind::NotRunnable, program)
            }
        }
    }
}

/// Runs the program in place of this process. Returns only if it could not be started.
pub(crate) fn run(location: &Location, program: &[OsString], host: &CliHost, output: &Output) -> Exit {
    let error = match pin(location) {
        Ok(snapshot) => host.umask.during(|| replace(program, snapshot.path())),
        Err(error) => error,
    };
    output.failed(&[ErrorReport::from(&error)], &[])
}

/// Pins the current generation, with a descriptor that the program inherits.
fn pin(location: &Location) -> Result<Snapshot, ExecError> {
    let snapshot = location.open_snapshot().map_err(not_open)?;
    let snapshot = snapshot.ok_or_else(|| ExecError::NothingPublished(location.link().to_owned()))?;
    close_fds::set_fds_cloexec(3, &kept(&snapshot));
    match fcntl_setfd(&snapshot, FdFlags::empty()) {
        Ok(()) => Ok(snapshot),
        Err(errno) => Err(ExecError::NotHandedOn { path: snapshot.path().to_owned(), cause: errno.into() }),
    }
}

/// Returns the descriptors that the program gets besides its standard ones. These are the pin, and the sockets that
/// systemd's socket activation passed to this process, which becomes the program.
fn kept(pin: &Snapshot) -> Vec<RawFd> {
    let variable = |name| std::env::var(name).ok().and_then(|value| value.parse::<RawFd>().ok());
    let is_for_us = variable("LISTEN_PID").is_some_and(|id| id == getpid().as_raw_nonzero().get());
    let sockets =
        variable("LISTEN_FDS").filter(|_| is_for_us).map_or(0, |sockets| sockets.clamp(0, MOST_SOCKETS));
    let mut kept: Vec<_> = (3..3 + sockets).chain([pin.as_fd().as_raw_fd()]).collect();
    kept.sort_unstable();
    kept
}

/// Says why the current generation cannot be opened: it is missing, or there is another reason.
fn not_open(error: atomicdir::Error) -> ExecError {
    if error.is_not_found() { ExecError::GenerationGone(error) } else { ExecError::NotPinned(error) }
}

/// Replaces this process by the program. The standard library gives it the default SIGPIPE and no blocked signals.
fn replace(program: &[OsString], path: &Path) -> ExecError {
    let mut words = program.iter();
    let program = words.next().map_or(OsStr::new(""), OsString::as_os_str);
    let cause = Command::new(program).args(words).env(PATH, path).exec();
    let program = program.to_owned();
    if cause.kind() != io::ErrorKind::NotFound {
        let cause = interpreter::why(&program, cause);
        return ExecError::NotRunnable { program, cause };
    }
    match interpreter::missing(&program) {
        Some(missing) => ExecError::Lacking { program, missing },
        None => ExecError::NotFound(program),
    }
}
