//! `secretdir diff`, which is also `secretdir sync --dry-run`.

use secretdir_engine::Plan;

use super::until_signal;
use crate::Exit;
use crate::host::CliHost;
use crate::output::Output;

pub(crate) fn run(plan: &Plan, host: &CliHost, output: &Output) -> Exit {
    let ended = until_signal(host, secretdir_engine::diff(plan, host));
    if let Ok(Some(Ok(difference))) = ended {
        return output.differs(&difference);
    }
    // A difference has them in it.
    output.config_warnings(plan);
    match ended {
        Ok(Some(Err(error))) => output.sync_failed(&error),
        Ok(_) => Exit::Unexpected,
        Err(error) => output.unexpected(&error),
    }
}
