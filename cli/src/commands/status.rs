//! `secretdir status`.

use std::time::Duration;

use secretdir_engine::{ErrorReport, Host, Location, StatusReport};

use crate::Exit;
use crate::host::CliHost;
use crate::output::{Output, status};

pub(crate) fn run(location: &Location, fresh: Option<Duration>, host: &CliHost, output: &Output) -> Exit {
    match StatusReport::of(location, host.clock().date()) {
        Ok(report) => output.answer(&status::answer(report, fresh)),
        Err(error) => output.failed(&[ErrorReport::from(&error)], &[]),
    }
}
