//! `secretdir diff`, which is also `secretdir sync --dry-run`.

use secretdir_engine::Plan;

use super::until_signal;
use crate::Exit;
use crate::host::CliHost;
use crate::output::{Output, run};

pub(crate) fn run(plan: &Plan, host: &CliHost, output: &Output) -> Exit {
    let ended = until_signal(host, output, secretdir_engine::diff(plan, host));
    ended.map_or_else(|exit| exit, |mut difference| output.answer(&run::difference(&mut difference)))
}
