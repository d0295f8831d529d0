//! What came of a run: printable, serialisable, and without any value.

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

/// What came of a run that did not fail before the flip.
///
/// The state, the warnings and the errors are serialised by whoever serialises this: every command has them.
#[derive(Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether there was anything to publish.
    #[serde(skip)]
    pub state: State,
    /// What a person should know; also what is still there although it should not be, which the next run tries again to remove.
    #[serde(skip)]
    pub warnings: Vec<WarningReport>,
    /// What failed after the flip: durability unknown, or the command.
    #[serde(skip)]
    pub errors: Vec<ErrorReport>,
    /// The link, as text: what is not UTF-8 in it is replaced.
    pub path: String,
    /// The generation that the link names now.
    pub generation_id: String,
    /// How many files it has.
    pub file_count: usize,
    /// Which sources were asked, and where they answered, in the order of their names.
    pub sources: Vec<AskedSource>,
    /// The optional files that are not there: their secrets, or fields, were not found.
    pub left_out: Vec<MissingSecret>,
    /// The files that have default content, or some in them, for the same reason: one entry for each secret.
    pub defaulted: Vec<MissingSecret>,
    /// What is different from before, in the order of the names.
    pub changes: Vec<FileChange>,
    /// What became of the command of `[on-change]`.
    pub on_change: Notification,
    /// How long that command is put off, if it is.
    #[serde(skip)]
    pub(crate) put_off: Option<Duration>,
    /// How many superseded or unfinished generations were removed.
    pub removed_count: usize,
    /// How many generations are due, but read by somebody.
    pub pinned_count: usize,
    /// The first moment at which a secret is not good any more, in seconds since 1970 (UTC); absent if none has an end that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<u64>,
    /// When the first secret is to be renewed.
    #[serde(skip)]
    pub(crate) renew_at: Option<SystemTime>,
    /// How many superseded generations are still there.
    #[serde(skip)]
    pub(crate) superseded_count: usize,
}

/// Whether there was anything to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A new generation is current.
    Published,
    /// What is published is what is wanted.
    Unchanged,
}

/// A source that was asked.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AskedSource {
    /// Its name.
    pub name: String,
    /// How many secrets it gave.
    pub secret_count: usize,
    /// The places that answered, such as regions, as far as the source tells: each once, in the order of the requests.
    pub origins: Vec<String>,
    /// How long it took to answer.
    #[serde(skip)]
    pub(crate) duration: Duration,
}

/// What came of asking every source, without publishing anything.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rehearsal {
    /// How many files there would be.
    pub file_count: usize,
    /// What a person should know; also which file of `[files]` wins over an import.
    pub warnings: Vec<WarningReport>,
}

/// What the sources gave, and what was made of it: without any value.
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
    /// Says what came of a run: what the sources gave, what was made of it, and what became of that.
    pub(crate) fn new(plan: &Plan, summary: Summary, publication: Publication) -> Self {
        let Publication {
            comparison,
            generation_id,
            on_change,
            put_off,
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
            put_off,
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
