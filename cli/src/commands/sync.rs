//! `secretdir sync`.

use std::time::Duration;

use secretdir_engine::Plan;

use super::until_signal;
use crate::Exit;
use crate::host::CliHost;
use crate::output::Output;

pub(crate) fn run(plan: &Plan, wait: Option<Duration>, host: &CliHost, output: &Output) -> Exit {
    let ended = until_signal(host, secretdir_engine::sync(plan, host, wait));
    if let Ok(Some(Ok(outcome))) = ended {
        return output.synced(&outcome);
    }
    // An outcome has them in it.
    output.config_warnings(plan);
    match ended {
        Ok(Some(Err(error))) => output.sync_failed(&error),
        Ok(_) => Exit::Unexpected,
        Err(error) => output.unexpected(&error),
    }
}
