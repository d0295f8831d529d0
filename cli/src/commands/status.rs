//! `secretdir status`.

use secretdir_engine::{Host, Location, StatusReport};

use crate::Exit;
use crate::host::CliHost;
use crate::output::Output;

pub(crate) fn run(location: &Location, host: &CliHost, output: &Output) -> Exit {
    match StatusReport::of(location, host.clock().date()) {
        Ok(report) => output.status(&report),
        Err(error) => output.publish_failed(&error, Exit::Publish),
    }
}
