//! What a run would change: names, kinds, sizes and revisions, and no value.

use std::collections::BTreeMap;
use std::fmt;

use atomicdir::{Comparison, FileMap, GenerationStatus, NewFile, Options, Status, View};
use serde::Serialize;

use crate::bundle::Bundle;
use crate::escape::escape;
use crate::gather::answers::Answers;
use crate::manifest::{Manifest, ManifestEntry};
use crate::outcome::{FileChangeKind, Notification};
use crate::owners::Owners;
use crate::plan::Plan;
use crate::report::count;

/// How often to look again at a link that flips meanwhile.
const LOOKS: usize = 100;

/// What a run would change, were it made now.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// Whether there is anything to publish.
    pub state: DifferenceState,
    /// The link, as text: what is not UTF-8 in it is replaced.
    pub path: String,
    /// What would change, in the order of the names.
    pub changes: Vec<Change>,
    /// What would become of the command of `[on-change]`: "pending" if it is to run, or has yet to succeed.
    pub on_change: Notification,
    /// The optional files that would not be there: their secrets, or fields, were not found.
    pub left_out: Vec<String>,
    /// The files that would have their default content, for the same reason.
    pub defaulted: Vec<String>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// Whether a run would change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceState {
    /// A run would publish a new generation.
    Changed,
    /// What is published is what is wanted, but the command of `[on-change]` has yet to succeed: a run repeats it,
    /// unless it has just failed more than once.
    Pending,
    /// What is published is what is wanted.
    Unchanged,
}

/// What would become of one file, or of the directory.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// Its name; `.` is the directory itself.
    pub name: String,
    /// How it would differ.
    pub kind: FileChangeKind,
    /// The file that is published.
    pub before: Option<Version>,
    /// The file that would be.
    pub after: Option<Version>,
}

/// What can be told of a file's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Version {
    /// Its length in bytes.
    pub size: u64,
    /// The store's own name for the version of the secret; of several secrets each, with a comma between.
    pub revision: Option<String>,
}

impl Difference {
    /// Compares a bundle with what is published.
    pub(crate) fn find(
        plan: &Plan,
        answers: &Answers,
        bundle: &Bundle<'_>,
        owners: &Owners,
        options: &Options,
    ) -> Result<Self, atomicdir::Error> {
        let files = bundle.files(owners);
        let (Looked { current, view }, comparison) = look(plan, &files, options)?;
        let note = current.as_ref().and_then(|current| current.note.as_deref());
        let on_change = match (plan.on_change.is_some(), note, view) {
            (true, None, View::Reader) if current.is_some() && comparison.is_same() => Notification::Unknown,
            _ => notification(plan, &comparison, note.and_then(Manifest::parse).as_ref(), current.is_some()),
        };
        let noted = note.and_then(Manifest::parse);
        let (before, entries) = (
            published(current, noted.unwrap_or_default()),
            bundle.manifest(answers).collect::<BTreeMap<_, _>>(),
        );
        let after = files.iter().map(|(name, file)| (name.to_string(), file.bytes.len()));
        let after: BTreeMap<_, _> = after
            .map(|(name, size)| {
                let version = version(size as u64, entries.get(&name));
                (name, version)
            })
            .collect();
        let changes = comparison.changes().iter().map(|change| Change {
            name: change.name.clone(),
            kind: change.into(),
            before: before.get(&change.name).cloned(),
            after: after.get(&change.name).cloned(),
        });
        Ok(Self {
            state: DifferenceState::of(&comparison, on_change),
            path: plan.link.display().to_string(),
            changes: changes.collect(),
            on_change,
            left_out: bundle.left_out.clone(),
            defaulted: bundle.defaulted.clone(),
            warnings: Vec::new(),
        })
    }
}

impl DifferenceState {
    fn of(comparison: &Comparison, on_change: Notification) -> Self {
        match (comparison.is_same(), on_change) {
            (false, _) => Self::Changed,
            (true, Notification::Pending) => Self::Pending,
            (true, _) => Self::Unchanged,
        }
    }
}

/// What is published, as far as this user may see it.
#[derive(Default)]
struct Looked {
    current: Option<GenerationStatus>,
    view: View,
}

/// Compares what is published with what is wanted, and returns what is told of it: both of the same generation. The link
/// may flip in between, so it is looked at until both looks agree.
fn look(
    plan: &Plan,
    files: &FileMap<NewFile<'_>>,
    options: &Options,
) -> Result<(Looked, Comparison), atomicdir::Error> {
    let mut looked = None;
    for _ in 0..LOOKS {
        let Status { current, view, .. } = plan.location().status()?;
        let (id, comparison) = options.clone().compare(&plan.link, files)?;
        if current.as_ref().map(|current| &current.id) == id.as_ref() {
            return Ok((Looked { current, view }, comparison));
        }
        looked = Some(comparison);
    }
    Ok((Looked::default(), looked.unwrap_or_default()))
}

/// Says whether a run would run the command: after a change, or because it has yet to succeed after the last one.
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

/// Returns what can be told of each published file.
fn published(current: Option<GenerationStatus>, manifest: Manifest) -> BTreeMap<String, Version> {
    let Some(current) = current else { return BTreeMap::new() };
    let files = current.files.into_iter().map(|file| {
        let version = version(file.size, manifest.files.get(&file.name));
        (file.name, version)
    });
    files.collect()
}

fn version(size: u64, secrets: Option<&Vec<ManifestEntry>>) -> Version {
    let revisions = secrets.into_iter().flatten().filter_map(|entry| entry.revision.as_deref());
    let revisions: Vec<_> = revisions.collect();
    Version { size, revision: (!revisions.is_empty()).then(|| revisions.join(", ")) }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state {
            DifferenceState::Unchanged => write!(f, "nothing would change at {}", escape(&self.path))?,
            DifferenceState::Pending => write!(f, "no file would change at {}", escape(&self.path))?,
            DifferenceState::Changed => {
                let changes = count(self.changes.len(), "change");
                write!(f, "{changes} would be made at {}", escape(&self.path))?;
            }
        }
        for change in &self.changes {
            write!(f, "\n  {change}")?;
        }
        for (what, names) in [("left out", &self.left_out), ("by default", &self.defaulted)] {
            if !names.is_empty() {
                write!(f, "\n{what}: {}", escape(&names.join(", ")))?;
            }
        }
        match (self.on_change, self.state) {
            (Notification::Pending, DifferenceState::Changed) => {
                f.write_str("\npending: the on-change command would run")
            }
            (Notification::Pending, _) => f.write_str(
                "\npending: the on-change command has not succeeded yet; a run repeats it, after failures not at once",
            ),
            (Notification::Unknown, _) => f.write_str(
                "\nseen as a reader: only the user who publishes sees whether the on-change command has succeeded",
            ),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            FileChangeKind::Added => "added",
            FileChangeKind::Removed => "removed",
            FileChangeKind::Content => "content",
            FileChangeKind::Attributes => "attributes",
        };
        write!(f, "{kind:10} {}", escape(&self.name))?;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) if before != after => write!(f, "  {before} -> {after}"),
            (Some(one), _) | (None, Some(one)) => write!(f, "  {one}"),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&count(usize::try_from(self.size).unwrap_or(usize::MAX), "byte"))?;
        match &self.revision {
            Some(revision) => write!(f, " (revision {})", escape(revision)),
            None => Ok(()),
        }
    }
}
