//! `secretdir watch`.

use std::path::Path;

use secretdir_engine::{ErrorReport, Host as _, Plan, Registry, WarningReport};
use tokio::runtime::Builder;

use super::{ensure_descriptors, not_begun};
use crate::Exit;
use crate::args::{LogFormat, Verbosity};
use crate::host::CliHost;
use crate::output::Output;
use crate::watch::host::Daemon;
use crate::watch::log::Log;
use crate::watch::metrics::Metrics;

pub(crate) fn run(
    plan: Plan,
    registry: &Registry,
    metrics: Option<&Path>,
    format: LogFormat,
    verbosity: Verbosity,
    host: &CliHost,
    output: &Output,
) -> Exit {
    let log = Log::new(format, verbosity);
    let begun = ensure_descriptors().and_then(|()| Builder::new_current_thread().enable_all().build());
    let runtime = match begun {
        Ok(runtime) => runtime,
        Err(error) => return failed(&[not_begun(&error)], &[], log, host, output),
    };
    let ended = runtime.block_on(async {
        let daemon = Daemon::new(host, log, metrics.map(Metrics::at))?;
        Ok(secretdir_engine::watch(plan, registry, &daemon).await)
    });
    // A name lookup that hangs in a thread of the runtime must not keep the process from ending.
    runtime.shutdown_background();
    match ended {
        Ok(Ok(())) => Exit::Success,
        Ok(Err(failure)) => failed(&failure.reports(), &failure.warnings, log, host, output),
        Err(error) => failed(&[not_begun(&error)], &[], log, host, output),
    }
}

/// Reports why the daemon cannot begin: in its log if that is JSON, so that its readers get objects.
pub(crate) fn failed(
    errors: &[ErrorReport],
    warnings: &[WarningReport],
    log: Log,
    host: &CliHost,
    output: &Output,
) -> Exit {
    if !log.is_json() {
        return output.failed(errors, warnings);
    }
    let date = host.clock().date();
    warnings.iter().for_each(|warning| log.warn(&warning.message, date));
    errors.iter().for_each(|error| log.error(error, date));
    output.exit(errors)
}
