//! `secretdir diff`, which is also `secretdir sync --dry-run`.

use secretdir_engine::Plan;

use super::until_signal;
use crate::Exit;
use crate::host::CliHost;
use crate::output::Output;

pub(crate) fn run(plan: &Plan, host: &CliHost, output: &Output) -> Exit {
    match until_signal(host, secretdir_engine::diff(plan, host)) {
        Ok(Some(Ok(difference))) => output.differs(&difference),
        Ok(Some(Err(failure))) => output.sync_failed(&failure),
        Ok(None) => Exit::Unexpected,
        Err(error) => output.unexpected(&error),
    }
}
