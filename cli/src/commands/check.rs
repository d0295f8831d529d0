//! `secretdir check`.

use std::path::Path;

use secretdir_engine::{Config, Plan, Registry};

use super::until_signal;
use crate::Exit;
use crate::host::CliHost;
use crate::output::Output;

/// Says that the configuration is good, of which the plan is the proof, and that this machine can publish it.
pub(crate) fn offline(plan: &Plan, output: &Output) -> Exit {
    match secretdir_engine::inspect(plan) {
        Ok(()) => {
            output.config_warnings(plan);
            output.checked(plan, None)
        }
        Err(error) => output.would_fail(plan, &error),
    }
}

/// Checks the configuration without a profile and with each. Tells of all that fail.
pub(crate) fn all_profiles(path: &Path, registry: &Registry, output: &Output) -> Exit {
    let config = match Config::read(path) {
        Ok(config) => config,
        Err(error) => return output.bad_config(&error, Exit::Usage),
    };
    let plan = |profile: Option<&str>| match profile {
        Some(profile) => config.clone().with_profile(profile)?.resolve(registry),
        None => config.clone().resolve(registry),
    };
    let (mut plans, mut failures) = (Vec::new(), Vec::new());
    for name in std::iter::once(None).chain(config.profiles().map(|name| Some(name.to_owned()))) {
        match plan(name.as_deref()) {
            Ok(plan) => plans.push((name, plan)),
            Err(error) => failures.push((name, error)),
        }
    }
    if failures.is_empty() { output.checked_profiles(&plans) } else { output.bad_profiles(&failures) }
}

/// Also asks every source for everything.
pub(crate) fn fetch(plan: &Plan, host: &CliHost, output: &Output) -> Exit {
    if let Err(error) = secretdir_engine::inspect(plan) {
        return output.would_fail(plan, &error);
    }
    match until_signal(host, secretdir_engine::fetch(plan, host)) {
        Ok(Some(Ok(rehearsal))) => {
            output.config_warnings(plan);
            output.checked(plan, Some(&rehearsal))
        }
        Ok(Some(Err(failure))) => output.sync_failed(&failure),
        Ok(None) => Exit::Unexpected,
        Err(error) => output.unexpected(&error),
    }
}
