//! `secretdir sync`.

use std::time::Duration;

use secretdir_engine::{Plan, Registry};

use super::until_signal;
use crate::Exit;
use crate::host::CliHost;
use crate::output::{Output, run};

pub(crate) fn run(
    plan: &Plan,
    registry: &Registry,
    wait: Option<Duration>,
    host: &CliHost,
    output: &Output,
) -> Exit {
    let ended = until_signal(host, output, secretdir_engine::sync(plan, registry, host, wait));
    ended.map_or_else(|exit| exit, |mut outcome| output.answer(&run::outcome(&mut outcome)))
}
