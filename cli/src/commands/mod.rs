//! One file for each command.

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

/// Runs the command that the arguments name.
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

/// For commands that only look at what is published: the rest of the configuration may be as wrong as it likes.
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

/// How many descriptors a runtime takes, and a few to do something with.
const DESCRIPTORS: usize = 10;

/// Fails where a runtime would panic that cannot open what it listens to signals with.
fn ensure_descriptors() -> io::Result<()> {
    let opened = (0..DESCRIPTORS).map(|_| File::open("/"));
    opened.collect::<io::Result<Vec<_>>>().map(drop)
}

/// Says why nothing could be begun.
pub(crate) fn not_begun(error: &io::Error) -> ErrorReport {
    let too_many = error.raw_os_error() == Some(Errno::MFILE.raw_os_error());
    let hint = too_many.then_some("raise the limit of open files: `ulimit -n`, or LimitNOFILE= in the unit");
    let message = format!("cannot begin to run: {error}");
    ErrorReport::from_message(ErrorKind::Unexpected, message).with_hint(hint)
}

/// Says what a signal has left undone that came after the flip.
fn not_notified() -> ErrorReport {
    let message =
        "the new set is published, but a signal ended the run before the on-change command had succeeded";
    ErrorReport::from_message(ErrorKind::OnChangeFailed, message)
        .with_hint(Some("the next `secretdir sync` runs the command again"))
}

/// Returns the kind of a failure to write what a command is for: whether the path cannot be meant, or the system did not let it.
fn kind_of_unwritten(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
            ErrorKind::Usage
        }
        _ => ErrorKind::NotWritten,
    }
}

/// Runs something of the engine on this thread, until it ends or a signal comes. Tells what failed, and returns how the command
/// ends then.
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

/// How long a run may take that was asked to end, to give back what a store has made for it.
const GRACE: Duration = Duration::from_secs(3);

/// Runs a future on this thread, until it ends or a signal comes: `None` then, and the future has been dropped.
fn run_until_signal<T>(host: &CliHost, future: impl Future<Output = T>) -> io::Result<Option<T>> {
    ensure_descriptors()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let caught = host.signals.catch()?;
    let ended = runtime.block_on(async {
        // Whoever started this may have chosen to ignore the ends of children. Listening for them takes that back.
        let _children = signal(SignalKind::child())?;
        let mut future = pin!(future);
        let signalled = tokio::select! {
            ended = &mut future => return Ok(Some(ended)),
            signalled = caught.wait() => signalled,
        };
        if signalled.is_ok() && host.has_issued() && !host.has_notified() {
            // It notices by itself that it is to end, and publishes nothing.
            drop(tokio::time::timeout(GRACE, future).await);
        }
        signalled.map(|()| None)
    });
    host.clear_progress();
    // A look-up that hangs in a thread of the runtime must not keep the process from ending.
    runtime.shutdown_background();
    ended
}
