//! What is told of a configuration and all its profiles at once.

use std::collections::BTreeMap;

use secretdir_engine::{Plan, Problem, escape};
use serde_json::{Value, json};

use super::planned;

/// Returns what there is to tell of problems that were found with these profiles: each once, sorted by line. One of the
/// configuration itself names no profile, though it may be one with each.
pub(super) fn told<'p>(found: impl Iterator<Item = (Option<&'p str>, &'p Problem)>) -> Vec<String> {
    let mut profiles = BTreeMap::<_, Vec<_>>::new();
    for (profile, problem) in found {
        profiles.entry(problem).or_default().push(profile);
    }
    profiles.iter().map(|(problem, profiles)| format!("{}{problem}", with(profiles))).collect()
}

/// Returns the line on a plan that is good.
pub(super) fn line(profile: Option<&str>, plan: &Plan) -> String {
    let with = profile.map_or("without a profile".to_owned(), |name| format!("profile `{name}`"));
    let line = format!("ok: {with}: {}, to be published at {}", planned(plan), plan.link().display());
    escape(&line).into_owned()
}

pub(super) fn json(profile: Option<&str>, plan: &Plan) -> Value {
    json!({
        "profile": profile, "path": plan.link().display().to_string(),
        "files": plan.file_count(), "imports": plan.import_count(),
    })
}

fn with(profiles: &[Option<&str>]) -> String {
    let names: Option<Vec<_>> = profiles.iter().map(|name| name.map(|name| format!("`{name}`"))).collect();
    match names.as_deref() {
        None => String::new(),
        Some([only]) => format!("with profile {only}: "),
        Some(names) => format!("with profiles {}: ", names.join(", ")),
    }
}
