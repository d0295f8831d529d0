//! `secretdir status`.

use std::path::Path;

use secretdir_engine::{Host, StatusReport};

use crate::Exit;
use crate::host::CliHost;
use crate::output::Output;

pub(crate) fn run(link: &Path, host: &CliHost, output: &Output) -> Exit {
    match StatusReport::of(link, host.now()) {
        Ok(report) => output.status(&report),
        Err(error) => output.publish_failed(&error, Exit::Publish),
    }
}
