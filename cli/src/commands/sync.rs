//! `secretdir sync`.

use std::path::Path;
use std::time::Duration;

use secretdir_engine::{
    ErrorKind, ErrorReport, Host, Outcome, Plan, Registry, Standing, SyncFailure, WarningReport,
};

use super::until_signal;
use crate::Exit;
use crate::host::CliHost;
use crate::output::{Output, run};
use crate::watch::metrics::Metrics;

pub(crate) fn run(
    plan: &Plan,
    registry: &Registry,
    wait: Option<Duration>,
    metrics: Option<&Path>,
    host: &CliHost,
    output: &Output,
) -> Exit {
    let run = async {
        let mut ended = secretdir_engine::sync(plan, registry, host, wait).await;
        if let Some(path) = metrics
            && let Some(warning) = write(path, plan, &ended, host)
        {
            match &mut ended {
                Ok(outcome) => outcome.warnings.push(warning),
                Err(failure) => failure.warnings.push(warning),
            }
        }
        ended
    };
    let ended = until_signal(host, output, run);
    ended.map_or_else(|exit| exit, |mut outcome| output.answer(&run::outcome(&mut outcome)))
}

/// Writes the metrics, and continues the counters of the existing file. A failure is only a warning, because the run
/// itself is over.
fn write(
    path: &Path,
    plan: &Plan,
    ended: &Result<Outcome, SyncFailure>,
    host: &CliHost,
) -> Option<WarningReport> {
    let (clock, metrics) = (host.clock(), Metrics::at(path));
    let mut standing = Standing::begin(plan, &clock);
    metrics.go_on(&mut standing);
    match ended {
        Ok(outcome) => standing.published(outcome, &clock),
        Err(failure) => standing.failed(failure, &clock),
    }
    let error = metrics.write(&standing, &clock).err()?;
    let message = format!("cannot write the metrics to {path:?}: {error}");
    Some(WarningReport::from(ErrorReport::from_message(ErrorKind::NotWritten, message).message))
}
