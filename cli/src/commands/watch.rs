//! `secretdir watch`.

use std::path::Path;

use secretdir_engine::{Plan, Registry};
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
    let begun = ensure_descriptors().and_then(|()| Builder::new_current_thread().enable_all().build());
    let runtime = match begun {
        Ok(runtime) => runtime,
        Err(error) => return output.failed(&[not_begun(&error)], &[]),
    };
    let ended = runtime.block_on(async {
        let daemon = Daemon::new(host, Log::new(format, verbosity), metrics.map(Metrics::at))?;
        Ok(secretdir_engine::watch(plan, registry, &daemon).await)
    });
    // A look-up that hangs in a thread of the runtime must not keep the process from ending.
    runtime.shutdown_background();
    match ended {
        Ok(Ok(())) => Exit::Success,
        Ok(Err(failure)) => output.failed(&failure.reports(), &failure.warnings),
        Err(error) => output.failed(&[not_begun(&error)], &[]),
    }
}
