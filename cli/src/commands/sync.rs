//! `secretdir sync`.

use std::time::Duration;

use secretdir_engine::{Plan, Registry};

use super::until_signal;
use crate::Exit;
use crate::host::CliHost;
use crate::output::Output;

pub(crate) fn run(
    plan: &Plan,
    registry: &Registry,
    wait: Option<Duration>,
    host: &CliHost,
    output: &Output,
) -> Exit {
    match until_signal(host, secretdir_engine::sync(plan, registry, host, wait)) {
        Ok(Some(Ok(outcome))) => output.synced(&outcome),
        Ok(Some(Err(failure))) => output.sync_failed(&failure),
        Ok(None) => Exit::Unexpected,
        Err(error) => output.unexpected(&error),
    }
}
