//! The answer of `secretdir check`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use secretdir_engine::{ConfigError, DryRun, ErrorReport, Plan, Problem, WarningReport, count, escape};
use serde::Serialize;

use super::answer::{Answer, DoneState, Text};

/// A valid configuration.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Checked {
    /// The link, as text. Bytes that are not UTF-8 are replaced.
    path: String,
    /// How many files there are. Imported files are counted only with `--fetch`.
    file_count: usize,
    /// How many imports the configuration has.
    import_count: usize,
    /// How many sources it has.
    source_count: usize,
}

/// A configuration that is valid with all its profiles.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CheckedProfiles {
    /// The result without a profile, and then with each profile.
    profiles: Vec<CheckedProfile>,
}

/// A valid configuration with one profile.
#[derive(Debug, Serialize, JsonSchema)]
struct CheckedProfile {
    /// The name of the profile. Absent without a profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(flatten)]
    checked: Checked,
}

/// A plan, and the name of the profile that it was made with.
pub(crate) type ProfilePlan = (Option<String>, Plan);

/// The error of a configuration, and the name of the profile that it was read with.
pub(crate) type ProfileError = (Option<String>, ConfigError);

impl Checked {
    fn new(plan: &Plan, file_count: usize) -> Self {
        Self {
            path: plan.link().display().to_string(),
            file_count,
            import_count: plan.import_count(),
            source_count: plan.source_names().count(),
        }
    }
}

/// Reports a valid configuration and, if its secrets were fetched, how many files they become.
pub(crate) fn answer(plan: &Plan, rehearsal: Option<&DryRun>) -> Answer<DoneState, Checked> {
    let file_count = rehearsal.map_or(plan.file_count(), |rehearsal| rehearsal.file_count);
    let checked = Checked::new(plan, file_count);
    let what = if rehearsal.is_some() { count(file_count, "file") } else { planned(plan) };
    let sources = count(checked.source_count, "source");
    let text = format!("ok: {what} from {sources}, to be published at {}", escape(&checked.path));
    let mut warnings = plan.warning_reports();
    warnings.extend(rehearsal.iter().flat_map(|rehearsal| rehearsal.warnings.iter().cloned()));
    Answer::new(DoneState::Ok, checked, Text::Summary(text)).with_warnings(warnings)
}

/// Reports a configuration that is valid with all its profiles.
pub(crate) fn all_profiles(plans: &[ProfilePlan]) -> Answer<DoneState, CheckedProfiles> {
    let found = plans
        .iter()
        .flat_map(|(profile, plan)| plan.warnings().iter().map(move |warning| (profile.as_deref(), warning)));
    let warnings = grouped(found).into_iter();
    let warnings = warnings.map(|(problem, profiles)| WarningReport::from(problem).found_with(&profiles));
    let warnings = warnings.collect();
    let lines: Vec<_> = plans.iter().map(|(profile, plan)| line(profile.as_deref(), plan)).collect();
    let checked = plans.iter().map(|(profile, plan)| CheckedProfile {
        profile: profile.clone(),
        checked: Checked::new(plan, plan.file_count()),
    });
    let own = CheckedProfiles { profiles: checked.collect() };
    Answer::new(DoneState::Ok, own, Text::Summary(lines.join("\n"))).with_warnings(warnings)
}

/// Reports the problems of a configuration, each with the profiles that it occurs with.
pub(crate) fn bad_profiles(failures: &[ProfileError]) -> Vec<ErrorReport> {
    let found = failures.iter().flat_map(|(profile, error)| {
        error.problems().iter().map(move |problem| (profile.as_deref(), problem))
    });
    let errors = grouped(found).into_iter();
    errors.map(|(problem, profiles)| ErrorReport::from(problem).found_with(&profiles)).collect()
}

/// Groups the profiles by problem, sorted by line.
fn grouped<'p>(
    found: impl Iterator<Item = (Option<&'p str>, &'p Problem)>,
) -> BTreeMap<&'p Problem, Vec<Option<&'p str>>> {
    let mut grouped = BTreeMap::<_, Vec<_>>::new();
    for (profile, problem) in found {
        grouped.entry(problem).or_default().push(profile);
    }
    grouped
}

/// Returns the line about one valid plan.
fn line(profile: Option<&str>, plan: &Plan) -> String {
    let with = profile.map_or("without a profile".to_owned(), |name| format!("profile `{name}`"));
    let line = format!("ok: {with}: {}, to be published at {}", planned(plan), plan.link().display());
    escape(&line).into_owned()
}

/// Counts the files and imports of a plan. Only the sources know how many files an import becomes.
fn planned(plan: &Plan) -> String {
    let files = count(plan.file_count(), "file");
    match plan.import_count() {
        0 => files,
        imports => format!("{files} and {}", count(imports, "import")),
    }
}
