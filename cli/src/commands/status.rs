//! `secretdir status`.

use secretdir_engine::{ErrorReport, Host, Location, StatusReport};

use crate::Exit;
use crate::host::CliHost;
use crate::output::{Output, status};

pub(crate) fn run(location: &Location, host: &CliHost, output: &Output) -> Exit {
    match StatusReport::of(location, host.clock().date()) {
        Ok(report) => output.answer(&status::answer(report)),
        Err(error) => output.failed(&[ErrorReport::from(&error)], &[]),
    }
}
