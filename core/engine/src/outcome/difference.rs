//! The changes that a run would make: names, kinds, sizes and revisions. No values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::SystemTime;

use atomicdir::{Change, Compared, Comparison, Options, View};
use schemars::JsonSchema;
use serde::Serialize;

use super::change::{FileChange, FileVersion};
use crate::bundle::Bundle;
use crate::bundle::missing::{self, MissingSecret};
use crate::escape::escape;
use crate::gather::answers::Answers;
use crate::plan::Plan;
use crate::publish::manifest::{Manifest, ManifestEntry};
use crate::publish::manifest_builder::ManifestBuilder;
use crate::publish::owners::Owners;
use crate::publish::publication::Notification;
use crate::report::{WarningReport, count};

/// What a run would change now.
///
/// Every command adds the state and the warnings to its answer, so they are not serialised here.
#[derive(Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Difference {
    /// Whether there is anything to publish.
    #[serde(skip)]
    pub state: DifferenceState,
    /// The warnings.
    #[serde(skip)]
    pub warnings: Vec<WarningReport>,
    /// The link, as text. Bytes that are not UTF-8 are replaced.
    pub path: String,
    /// The changes, in the order of the names.
    pub changes: Vec<FileChange>,
    /// The dynamic secrets that a run would request. Their values do not exist yet.
    pub to_issue: Vec<SecretToIssue>,
    /// The state of `[on-change]` after the run: "pending" if it would run, or has not succeeded yet.
    pub on_change: Notification,
    /// The optional files that would be left out because their secret or field was not found.
    pub left_out: Vec<MissingSecret>,
    /// The files that would contain a default because a secret or field was not found: one entry for each secret.
    pub defaulted: Vec<MissingSecret>,
}

/// A dynamic secret that a run would request, such as a certificate or a database user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SecretToIssue {
    /// The source.
    pub source: String,
    /// The name of the secret in the source.
    pub secret_name: String,
    /// Its files, as far as their names are known.
    pub file_names: Vec<String>,
}

/// All dynamic secrets that a run would request.
struct ToIssue(Vec<SecretToIssue>);

impl ToIssue {
    fn of(plan: &Plan, answers: &Answers, bundle: &Bundle<'_>, noted: Option<&Manifest>) -> Self {
        let all = answers.unasked.iter().filter_map(|id| {
            let (source, request) = (plan.sources.get(id.source)?, plan.request(*id)?);
            let is_made_of_it = |name: &&String| {
                plan.files.get(name).is_some_and(|file| file.content.requests().contains(id))
            };
            let planned = bundle.unmade.iter().filter(is_made_of_it).cloned();
            // Only the store knows which keys the secret will have. The keys that an import has published stand for them.
            let noted = noted.into_iter().flat_map(|noted| &noted.files).filter(|(name, entries)| {
                let of =
                    |entry: &ManifestEntry| entry.source == source.name && entry.secret == request.name();
                entries.iter().any(of) && plan.may_import(*id, name)
            });
            let names: BTreeSet<_> = planned.chain(noted.map(|(name, _)| name.clone())).collect();
            let (source, secret_name) = (source.name.clone(), request.name().to_owned());
            Some(SecretToIssue { source, secret_name, file_names: names.into_iter().collect() })
        });
        Self(all.collect())
    }

    /// Returns whether a file is made of one of them.
    fn has(&self, file: &str) -> bool {
        self.names().any(|name| name == file)
    }

    /// Returns whether a directory contains a file that is made of one of them. Then the directory stays.
    fn keeps(&self, directory: &str) -> bool {
        self.names().any(|name| name.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/')))
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.0.iter().flat_map(|secret| &secret.file_names)
    }
}

/// Whether a run would change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceState {
    /// A run would publish a new generation.
    Changed,
    /// The published set is up to date, but `[on-change]` has not succeeded yet. A run repeats it, after several failures with
    /// a backoff.
    Pending,
    /// The published set is up to date.
    Unchanged,
}

impl Difference {
    /// Compares a bundle with the published set.
    pub(crate) fn find(
        plan: &Plan,
        answers: &Answers,
        bundle: &Bundle<'_>,
        owners: &Owners,
        options: Options,
        now: SystemTime,
    ) -> Result<Self, atomicdir::Error> {
        let files = owners.files(bundle);
        let Compared { id, comparison, sizes, note, view, .. } = options.compare(&plan.link, &files)?;
        let noted = note.as_deref().and_then(Manifest::parse);
        let on_change = match (plan.on_change.is_some(), &note, view) {
            (true, None, View::Reader) if id.is_some() && comparison.is_same() => Notification::Unknown,
            _ => notification(plan, &comparison, noted.as_ref(), id.is_some()),
        };
        let to_issue = ToIssue::of(plan, answers, bundle, noted.as_ref());
        let builder = ManifestBuilder { plan, answers, now };
        let (before, entries) = (published(sizes, &noted.unwrap_or_default()), builder.files(bundle));
        let after = files.iter().map(|(name, file)| (name.to_string(), file.bytes.len()));
        let after: BTreeMap<_, _> = after
            .map(|(name, size)| {
                let version = version(size as u64, entries.get(&name));
                (name, version)
            })
            .collect();
        let changes = comparison.changes().iter().filter(|Change { name, .. }| {
            let is_directory = !before.contains_key(name) && !after.contains_key(name);
            !(to_issue.has(name) || is_directory && to_issue.keeps(name))
        });
        let changes = changes.map(|change| {
            let name = &change.name;
            FileChange::new(change, before.get(name).cloned(), after.get(name).cloned())
        });
        let changes: Vec<_> = changes.collect();
        Ok(Self {
            state: DifferenceState::of(changes.is_empty() && to_issue.0.is_empty(), on_change),
            warnings: Vec::new(),
            path: plan.link.display().to_string(),
            changes,
            to_issue: to_issue.0,
            on_change,
            left_out: bundle.left_out.clone(),
            defaulted: bundle.defaulted.clone(),
        })
    }
}

impl DifferenceState {
    fn of(is_same: bool, on_change: Notification) -> Self {
        match (is_same, on_change) {
            (false, _) => Self::Changed,
            (true, Notification::Pending) => Self::Pending,
            (true, _) => Self::Unchanged,
        }
    }
}

/// Returns whether a run would run `[on-change]`: after a change, or because it has not succeeded since the last one.
fn notification(
    plan: &Plan,
    comparison: &Comparison,
    noted: Option<&Manifest>,
    is_published: bool,
) -> Notification {
    let is_pending = noted.map_or(is_published, Manifest::is_pending);
    match plan.on_change {
        None => Notification::NotConfigured,
        Some(_) if is_pending || !comparison.is_same() => Notification::Pending,
        Some(_) => Notification::NotNeeded,
    }
}

/// Returns the size and revision of each published file.
fn published(sizes: BTreeMap<String, u64>, manifest: &Manifest) -> BTreeMap<String, FileVersion> {
    let files = sizes.into_iter().map(|(name, size)| {
        let version = version(size, manifest.files.get(&name));
        (name, version)
    });
    files.collect()
}

fn version(size: u64, secrets: Option<&Vec<ManifestEntry>>) -> FileVersion {
    let revisions = secrets.into_iter().flatten().filter_map(|entry| entry.revision.as_deref());
    let revisions: Vec<_> = revisions.collect();
    let revision = (!revisions.is_empty()).then(|| revisions.join(", "));
    FileVersion { size: Some(size), revision, ..FileVersion::default() }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state {
            DifferenceState::Unchanged => write!(f, "nothing would change at {}", escape(&self.path))?,
            DifferenceState::Pending => write!(f, "no file would change at {}", escape(&self.path))?,
            DifferenceState::Changed => {
                let changes = count(self.changes.len() + self.to_issue.len(), "change");
                write!(f, "{changes} would be made at {}", escape(&self.path))?;
            }
        }
        for change in &self.changes {
            write!(f, "\n  {change}")?;
        }
        for SecretToIssue { source, secret_name, file_names } in &self.to_issue {
            let (secret, files) =
                (escape(secret_name), file_names.iter().map(|name| escape(name).into_owned()));
            let files = files.collect::<Vec<_>>().join(", ");
            write!(f, "\n  {:10} {files}  secret `{secret}` of source `{source}` would be issued", "issued")?;
        }
        missing::lines(f, &self.left_out, &self.defaulted)?;
        match (self.on_change, self.state) {
            (Notification::Pending, DifferenceState::Changed) => {
                f.write_str("\npending: [on-change] would run")
            }
            (Notification::Pending, _) => f.write_str(
                "\npending: [on-change] has not succeeded yet; the next run repeats it or, after repeated failures, the first run after a backoff",
            ),
            (Notification::Unknown, _) => f.write_str(
                "\nlimited view: only root and the user who publishes can see whether the on-change command has succeeded",
            ),
            _ => Ok(()),
        }
    }
}
