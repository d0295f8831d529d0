//! `secretdir providers`.

use secretdir_engine::Registry;

use crate::Exit;
use crate::output::Output;

/// Lists all, or explains one.
pub(crate) fn run(registry: &Registry, name: Option<&str>, output: &Output) -> Exit {
    match name.map(|name| registry.find(name)) {
        None => output.providers(registry),
        Some(Ok(provider)) => output.provider(provider),
        Some(Err(unknown)) => output.unknown_provider(&unknown),
    }
}
