//! `secretdir status`.

use secretdir_engine::{Host, Plan, StatusReport};

use crate::Exit;
use crate::host::CliHost;
use crate::output::Output;

pub(crate) fn run(plan: &Plan, host: &CliHost, output: &Output) -> Exit {
    match StatusReport::of(plan, host.now()) {
        Ok(report) => output.status(&report),
        Err(error) => output.publish_failed(&error, Exit::Publish),
    }
}
