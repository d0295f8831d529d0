//! `secretdir check`.

use std::path::Path;

use secretdir_engine::{Config, Plan, Registry};

use super::until_signal;
use crate::Exit;
use crate::host::CliHost;
use crate::output::{Output, check};

/// Reports that the configuration is valid, and checks whether this machine can publish it. The plan is the proof that
/// it is valid.
pub(crate) fn offline(plan: &Plan, output: &Output) -> Exit {
    let found = secretdir_engine::inspect(plan);
    if found.is_empty() {
        output.answer(&check::answer(plan, None))
    } else {
        output.failed(&found, &plan.warning_reports())
    }
}

/// Checks the configuration without a profile and with each profile. Reports all failures.
pub(crate) fn all_profiles(path: &Path, registry: &Registry, output: &Output) -> Exit {
    let config = match Config::read(path) {
        Ok(config) => config,
        Err(error) => return output.failed(&error.reports(), &[]),
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
    if failures.is_empty() {
        output.answer(&check::all_profiles(&plans))
    } else {
        output.failed(&check::bad_profiles(&failures), &[])
    }
}

/// Checks the configuration, and also fetches all secrets.
pub(crate) fn fetch(plan: &Plan, host: &CliHost, output: &Output) -> Exit {
    let found = secretdir_engine::inspect(plan);
    if !found.is_empty() {
        return output.failed(&found, &plan.warning_reports());
    }
    let ended = until_signal(host, output, secretdir_engine::fetch(plan, host));
    ended.map_or_else(|exit| exit, |rehearsal| output.answer(&check::answer(plan, Some(&rehearsal))))
}
