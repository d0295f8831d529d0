//! The commands: one file for each.

mod check;
mod diff;
mod exec;
mod init;
mod manual;
mod pages;
mod profiles;
mod providers;
mod status;
mod sync;
mod watch;

use std::fs::File;
use std::io;
use std::pin::pin;
use std::time::Duration;

use rustix::io::Errno;
use secretdir_engine::{ConfigError, ErrorKind, ErrorReport, Location, Plan, Registry, SyncFailure};
use tokio::signal::unix::{SignalKind, signal};

use crate::Exit;
use crate::args::{Args, Command};
use crate::host::CliHost;
use crate::output::Output;
use crate::watch::log::Log;

/// Runs the command that the arguments select.
pub(crate) fn run(args: &Args, registry: &Registry, host: &CliHost, output: &Output) -> Exit {
    match &args.command {
        Command::Init { sources } => init::run(sources, args.config(), registry, host, output),
        Command::Exec { program } => {
            with_location(args, output, |location| exec::run(location, program, host, output))
        }
        Command::Providers { name } => providers::run(registry, name.as_deref(), output),
        Command::Schema { output: true } => output.output_schema(),
        Command::Schema { output: false } => output.document(&secretdir_engine::schema(registry)),
        Command::Completions { shell } => pages::completions(*shell, args.identity(), registry, output),
        Command::Man { folder } => pages::man(folder, args.identity(), registry, host, output),
        Command::Diff | Command::Sync { dry_run: true, .. } => {
            with_plan(args, registry, output, |plan| diff::run(plan, host, output))
        }
        Command::Sync { wait, metrics, dry_run: false } => with_plan(args, registry, output, |plan| {
            sync::run(plan, registry, *wait, metrics.as_deref(), host, output)
        }),
        Command::Watch { metrics, log } => match Plan::read(args.config(), args.profile(), registry) {
            Ok(plan) => watch::run(plan, registry, metrics.as_deref(), *log, args.verbosity(), host, output),
            Err(error) => {
                let log = Log::new(*log, args.verbosity());
                watch::failed(&reports(args, &error), &[], log, host, output)
            }
        },
        Command::Check { all_profiles: true, .. } => check::all_profiles(args.config(), registry, output),
        Command::Check { fetch: false, .. } => {
            with_plan(args, registry, output, |plan| check::offline(plan, output))
        }
        Command::Check { fetch: true, .. } => {
            with_plan(args, registry, output, |plan| check::fetch(plan, host, output))
        }
        Command::Status { fresh } => {
            with_location(args, output, |location| status::run(location, *fresh, host, output))
        }
    }
}

fn with_plan(args: &Args, registry: &Registry, output: &Output, command: impl FnOnce(&Plan) -> Exit) -> Exit {
    match Plan::read(args.config(), args.profile(), registry) {
        Ok(plan) => command(&plan),
        Err(error) => bad_config(args, &error, output),
    }
}

/// Runs a command that only looks at the published set. Mistakes in the rest of the configuration do not matter.
fn with_location(args: &Args, output: &Output, command: impl FnOnce(&Location) -> Exit) -> Exit {
    match Location::read(args.config(), args.profile()) {
        Ok(location) => command(&location),
        Err(error) => bad_config(args, &error, output),
    }
}

fn bad_config(args: &Args, error: &ConfigError, output: &Output) -> Exit {
    output.failed(&reports(args, error), &[])
}

fn reports(args: &Args, error: &ConfigError) -> Vec<ErrorReport> {
    error.reports().into_iter().map(|report| report.with_profile(args.profile())).collect()
}

/// The number of descriptors that a runtime needs, and a few for the work itself.
const DESCRIPTORS: usize = 10;

/// Fails if too few descriptors are left. Without them, a runtime panics when it opens its signal descriptors.
fn ensure_descriptors() -> io::Result<()> {
    let opened = (0..DESCRIPTORS).map(|_| File::open("/"));
    opened.collect::<io::Result<Vec<_>>>().map(drop)
}

/// Reports why the command could not begin.
pub(crate) fn not_begun(error: &io::Error) -> ErrorReport {
    let too_many = error.raw_os_error() == Some(Errno::MFILE.raw_os_error());
    let hint = too_many.then_some("raise the limit of open files: `ulimit -n`, or LimitNOFILE= in the unit");
    let message = format!("cannot begin to run: {error}");
    ErrorReport::from_message(ErrorKind::Unexpected, message).with_hint(hint)
}

/// Reports that a signal ended a run after the flip, before the on-change command had succeeded.
fn not_notified() -> ErrorReport {
    let message =
        "the new set is published, but a signal ended the run before the on-change command had succeeded";
    ErrorReport::from_message(ErrorKind::OnChangeFailed, message)
        .with_hint(Some("the next `secretdir sync` runs the command again"))
}

/// Returns the kind of an error in writing a file. A path that cannot be right is a usage error.
fn kind_of_unwritten(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::AlreadyExists => ErrorKind::Usage,
        _ => ErrorKind::NotWritten,
    }
}

/// Runs a future of the engine on this thread, until it ends or a signal comes. Reports a failure, and returns its exit
/// code.
fn until_signal<T>(
    host: &CliHost,
    output: &Output,
    future: impl Future<Output = Result<T, SyncFailure>>,
) -> Result<T, Exit> {
    match run_until_signal(host, future) {
        Ok(Some(Ok(done))) => Ok(done),
        Ok(Some(Err(failure))) => Err(output.failed(&failure.reports(), &failure.warnings)),
        Ok(None) if host.has_notified() => Err(output.failed(&[not_notified()], &[])),
        Ok(None) => Err(Exit::Unexpected),
        Err(error) => Err(output.failed(&[not_begun(&error)], &[])),
    }
}

/// How long an interrupted run may take to give back secrets that a store made for it.
const GRACE: Duration = Duration::from_secs(3);

/// Runs a future on this thread, until it ends or a signal comes. After a signal it is dropped, and the result is
/// `None`.
fn run_until_signal<T>(host: &CliHost, future: impl Future<Output = T>) -> io::Result<Option<T>> {
    ensure_descriptors()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let caught = host.signals.catch()?;
    let ended = runtime.block_on(async {
        // The parent process may have chosen to ignore SIGCHLD. Listening for it takes that back.
        let _children = signal(SignalKind::child())?;
        let mut future = pin!(future);
        let signalled = tokio::select! {
            ended = &mut future => return Ok(Some(ended)),
            signalled = caught.wait() => signalled,
        };
        if signalled.is_ok() && host.has_issued() && !host.has_notified() {
            // The run notices the signal by itself, and publishes nothing.
            drop(tokio::time::timeout(GRACE, future).await);
        }
        signalled.map(|()| None)
    });
    host.clear_progress();
    // A name lookup that hangs in a thread of the runtime must not keep the process from ending.
    runtime.shutdown_background();
    ended
}
