//! The result of a run, which can be printed and serialised. No values.

pub(crate) mod change;
pub(crate) mod difference;
pub(crate) mod status;

use std::fmt;
use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::Serialize;

use crate::bundle::Bundle;
use crate::bundle::missing::{self, MissingSecret};
use crate::escape::escape;
use crate::gather::answers::Answers;
use crate::plan::Plan;
use crate::publish::publication::{Notification, Publication};
use crate::report::{ErrorReport, WarningReport, count};
use change::FileChange;
use status::seconds;

/// The result of a run that did not fail before the switch.
///
/// Every command adds the state, the warnings and the errors to its answer, so they are not serialised here.
#[derive(Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether a new set was published.
    #[serde(skip)]
    pub state: State,
    /// The warnings. They include old sets that could not be removed; the next run tries again.
    #[serde(skip)]
    pub warnings: Vec<WarningReport>,
    /// The failures after the flip: unknown durability, or a failed command.
    #[serde(skip)]
    pub errors: Vec<ErrorReport>,
    /// The link, as text. Bytes that are not UTF-8 are replaced.
    pub path: String,
    /// The generation that the link names now.
    pub generation_id: String,
    /// How many files it has.
    pub file_count: usize,
    /// The sources of the run, in the order of their names, with the origins of their answers.
    pub sources: Vec<AskedSource>,
    /// The optional files that were left out because their secret or field was not found.
    pub left_out: Vec<MissingSecret>,
    /// The files that contain a default because a secret or field was not found: one entry for each secret.
    pub defaulted: Vec<MissingSecret>,
    /// The changes, in the order of the names.
    pub changes: Vec<FileChange>,
    /// The state of `[on-change]`.
    pub on_change: Notification,
    /// The remaining backoff of that command, if it is postponed.
    #[serde(skip)]
    pub(crate) postponed: Option<Duration>,
    /// How many old or unfinished generations were removed.
    pub removed_count: usize,
    /// How many old generations are due for removal, but still pinned by a reader.
    pub pinned_count: usize,
    /// The first expiry of its secrets, in seconds since 1970 (UTC). Absent if none is known to expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<u64>,
    /// When the first secret must be renewed.
    #[serde(skip)]
    pub(crate) renew_at: Option<SystemTime>,
    /// How many superseded generations remain.
    #[serde(skip)]
    pub(crate) superseded_count: usize,
}

/// Whether a new set was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A new generation is current.
    Published,
    /// The published set is up to date.
    Unchanged,
}

/// A source of the run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AskedSource {
    /// Its name.
    pub name: String,
    /// How many secrets came from it.
    pub secret_count: usize,
    /// The origins of the answers, such as regions, if the source tells them: each once, in the order of the requests.
    pub origins: Vec<String>,
    /// The time that the source took to answer.
    #[serde(skip)]
    pub(crate) duration: Duration,
}

/// The result of fetching everything without publishing it.
#[derive(Debug)]
#[non_exhaustive]
pub struct DryRun {
    /// The number of files that would be published.
    pub file_count: usize,
    /// The warnings. They include each file of `[files]` that wins over an import.
    pub warnings: Vec<WarningReport>,
}

/// A summary of the answers and the files. No values.
pub(crate) struct Summary {
    sources: Vec<AskedSource>,
    file_count: usize,
    left_out: Vec<MissingSecret>,
    defaulted: Vec<MissingSecret>,
}

impl Summary {
    pub(crate) fn of(plan: &Plan, answers: &Answers, bundle: Bundle<'_>) -> Self {
        let (sources, file_count) = (Self::asked(plan, answers), bundle.len());
        Self { sources, file_count, left_out: bundle.left_out, defaulted: bundle.defaulted }
    }

    fn asked(plan: &Plan, answers: &Answers) -> Vec<AskedSource> {
        let sources = plan.sources.iter().zip(&answers.sources);
        let asked = sources.map(|(source, answered)| {
            let secrets = &answered.secrets;
            let mut origins: Vec<String> = Vec::new();
            for origin in secrets.iter().flatten().filter_map(|secret| secret.origin()) {
                if !origins.iter().any(|known| known == origin) {
                    origins.push(origin.to_owned());
                }
            }
            let secret_count = secrets.iter().flatten().count();
            AskedSource { name: source.name.clone(), secret_count, origins, duration: answered.duration }
        });
        asked.collect()
    }
}

impl Outcome {
    /// Combines the summary of the answers with the result of publishing.
    pub(crate) fn new(plan: &Plan, summary: Summary, publication: Publication) -> Self {
        let Publication {
            comparison,
            generation_id,
            on_change,
            postponed,
            warnings,
            errors,
            removed_count,
            pinned_count,
            removed_notes: _,
            superseded_count,
            renew_at,
            valid_until,
        } = publication;
        let changes = comparison.changes().iter().map(|change| FileChange::new(change, None, None));
        Self {
            state: if comparison.is_same() { State::Unchanged } else { State::Published },
            path: plan.link.display().to_string(),
            warnings,
            errors,
            generation_id,
            file_count: summary.file_count,
            sources: summary.sources,
            left_out: summary.left_out,
            defaulted: summary.defaulted,
            changes: changes.collect(),
            on_change,
            postponed,
            removed_count,
            pinned_count,
            valid_until: valid_until.map(seconds),
            renew_at,
            superseded_count,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.state {
            State::Published => "published ",
            State::Unchanged => "unchanged: ",
        };
        let files = count(self.file_count, "file");
        write!(f, "{what}{files} at {} (generation {})", escape(&self.path), self.generation_id)?;
        missing::lines(f, &self.left_out, &self.defaulted)
    }
}
