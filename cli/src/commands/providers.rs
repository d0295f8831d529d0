//! `secretdir providers`.

use secretdir_engine::Registry;

use crate::Exit;
use crate::output::Output;

pub(crate) fn run(registry: &Registry, output: &Output) -> Exit {
    output.providers(registry)
}
