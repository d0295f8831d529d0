//! `secretdir providers`.

use secretdir_engine::{ErrorReport, Registry};

use crate::Exit;
use crate::output::{Output, providers};

/// Lists all providers, or explains one.
pub(crate) fn run(registry: &Registry, name: Option<&str>, output: &Output) -> Exit {
    match name.map(|name| registry.find(name)) {
        None => output.answer(&providers::answer(registry)),
        Some(Ok(provider)) => output.answer(&providers::answer_one(provider)),
        Some(Err(unknown)) => output.failed(&[ErrorReport::from(&unknown)], &[]),
    }
}
