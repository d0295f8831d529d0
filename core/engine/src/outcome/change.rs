//! The change of one file: its name, size, revision, mode and owner. No values.

use std::fmt;

use atomicdir::{AttributesChange, ChangeKind, Changed};
use schemars::JsonSchema;
use serde::Serialize;

use crate::escape::escape;
use crate::report::count;

/// One difference from the set before.
#[derive(Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FileChange {
    /// The file or directory. `.` is the published directory itself.
    pub name: String,
    /// The kind of the change.
    pub kind: FileChangeKind,
    /// The file before the change. Absent if it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<FileVersion>,
    /// The file after the change. Absent if it is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<FileVersion>,
}

/// A file before or after a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FileVersion {
    /// With `diff`: its length in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The store's own name for the version of the secret. For several secrets, a list with commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Its permission bits in octal, if they change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Its owner by number, if it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<u32>,
    /// Its group by number, if it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
}

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FileChangeKind {
    /// The file is new.
    Added,
    /// The file is removed.
    Removed,
    /// The content is different.
    Content,
    /// The mode or owner is different.
    Attributes,
}

impl FileChange {
    /// Combines the changed attributes with the other information about the file before and after.
    pub(crate) fn new(
        change: &atomicdir::Change,
        before: Option<FileVersion>,
        after: Option<FileVersion>,
    ) -> Self {
        let (old, new) = attributes(&change.attributes);
        let with = |known: Option<FileVersion>, attributes: FileVersion| match known {
            Some(FileVersion { size, revision, .. }) => Some(FileVersion { size, revision, ..attributes }),
            None => Some(attributes).filter(|attributes| *attributes != FileVersion::default()),
        };
        let (before, after) = (with(before, old), with(after, new));
        Self { name: change.name.clone(), kind: change.into(), before, after }
    }
}

/// Returns the changed attributes before and after.
fn attributes(change: &AttributesChange) -> (FileVersion, FileVersion) {
    let side = |side: fn(Changed) -> u32| FileVersion {
        mode: change.mode.map(|changed| format!("{:04o}", side(changed))),
        owner: change.user.map(side),
        group: change.group.map(side),
        ..FileVersion::default()
    };
    (side(|changed| changed.from), side(|changed| changed.to))
}

impl From<&atomicdir::Change> for FileChangeKind {
    fn from(change: &atomicdir::Change) -> Self {
        match change.kind {
            ChangeKind::Added => Self::Added,
            ChangeKind::Removed => Self::Removed,
            ChangeKind::Content => Self::Content,
            _ => Self::Attributes,
        }
    }
}

impl fmt::Display for FileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            FileChangeKind::Added => "added",
            FileChangeKind::Removed => "removed",
            FileChangeKind::Content => "content",
            FileChangeKind::Attributes => "attributes",
        };
        write!(f, "{kind:10} {}", escape(&self.name))?;
        let contents =
            [&self.before, &self.after].map(|version| version.as_ref().and_then(FileVersion::content));
        match contents {
            [Some(before), Some(after)] if before != after => write!(f, "  {before} -> {after}")?,
            [Some(one), _] | [None, Some(one)] => write!(f, "  {one}")?,
            [None, None] => {}
        }
        if self.kind == FileChangeKind::Attributes {
            write!(f, "  {}", self.attributes())?;
        }
        Ok(())
    }
}

impl FileChange {
    /// Returns the changed attributes as text, with their values before and after.
    fn attributes(&self) -> String {
        let (Some(before), Some(after)) = (&self.before, &self.after) else { return String::new() };
        let number = |number: Option<u32>| number.map(|number| number.to_string());
        let all = [
            ("mode", before.mode.clone(), after.mode.clone()),
            ("owner", number(before.owner), number(after.owner)),
            ("group", number(before.group), number(after.group)),
        ];
        let changed =
            all.into_iter().filter_map(|(name, from, to)| Some(format!("{name} {} -> {}", from?, to?)));
        changed.collect::<Vec<_>>().join(", ")
    }
}

impl FileVersion {
    /// Returns the size and revision of the content as text.
    fn content(&self) -> Option<String> {
        let size = count(usize::try_from(self.size?).unwrap_or(usize::MAX), "byte");
        Some(match &self.revision {
            Some(revision) => format!("{size} (revision {})", escape(revision)),
            None => size,
        })
    }
}
