//! `secretdir check`.

use secretdir_engine::Plan;

use super::until_signal;
use crate::Exit;
use crate::host::CliHost;
use crate::output::Output;

/// Says that the configuration is good. That there is a plan is the proof.
pub(crate) fn offline(plan: &Plan, output: &Output) -> Exit {
    output.config_warnings(plan);
    output.checked(plan, &[])
}

/// Also asks every source for everything.
pub(crate) fn fetch(plan: &Plan, host: &CliHost, output: &Output) -> Exit {
    output.config_warnings(plan);
    match until_signal(host, secretdir_engine::fetch(plan, host)) {
        Ok(Some(Ok(warnings))) => output.checked(plan, &warnings),
        Ok(Some(Err(error))) => output.gather_failed(&error, Exit::Source),
        Ok(None) => Exit::Unexpected,
        Err(error) => output.unexpected(&error),
    }
}
