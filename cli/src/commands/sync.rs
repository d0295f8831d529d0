//! `secretdir sync`.

use std::time::Duration;

use secretdir_engine::Plan;

use super::until_signal;
use crate::Exit;
use crate::host::CliHost;
use crate::output::Output;

pub(crate) fn run(plan: &Plan, wait: Option<Duration>, host: &CliHost, output: &Output) -> Exit {
    output.config_warnings(plan);
    match until_signal(host, secretdir_engine::sync(plan, host, wait)) {
        Ok(Some(Ok(outcome))) => output.synced(&outcome),
        Ok(Some(Err(error))) => output.sync_failed(&error),
        Ok(None) => Exit::Unexpected,
        Err(error) => output.unexpected(&error),
    }
}
