//! The result of a comparison: the names that differ, and how.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use crate::{Attributes, FileMap, Id, NewFile, View};

/// The differences between the published set and the wanted one.
///
/// A name that differs in several ways is listed once for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    pub(crate) changes: Vec<Change>,
}

/// The result of a comparison without a lock, with other facts about the published generation.
#[derive(Debug)]
#[non_exhaustive]
pub struct Compared {
    /// The generation that the link named, if there was one.
    pub id: Option<Id>,
    /// The differences from the wanted set. If the generation belongs to an untrusted user, all wanted files are listed
    /// as added.
    pub comparison: Comparison,
    /// The compared files of the generation, with their sizes in bytes.
    pub sizes: BTreeMap<String, u64>,
    /// The note of the generation. None if this user may not read it ([`View::Reader`]), or if there is none.
    pub note: Option<Vec<u8>>,
    /// How much of the generation this user may see.
    pub view: View,
}

/// One name that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Change {
    /// The name of the file or directory; `.` is the generation itself.
    pub name: String,
    /// The kind of the change.
    pub kind: ChangeKind,
    /// The attributes that differ, if `kind` is [`ChangeKind::Attributes`].
    pub attributes: AttributesChange,
}

/// The attributes of a name that differ. An attribute that is as wanted, or that is not configured, is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct AttributesChange {
    /// The permission bits, including the special ones.
    pub mode: Option<Changed>,
    /// The owner, by number.
    pub user: Option<Changed>,
    /// The group, by number.
    pub group: Option<Changed>,
}

/// One attribute that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Changed {
    /// The published value.
    pub from: u32,
    /// The wanted value.
    pub to: u32,
}

/// The kind of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The name is wanted, but not published.
    Added,
    /// The name is published, but not wanted.
    Removed,
    /// The bytes of the file differ.
    Content,
    /// The mode or the owner differs.
    Attributes,
}

impl Comparison {
    /// Returns whether there is nothing to publish: names, bytes, modes and configured owners are all as wanted.
    pub fn is_same(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns the differences, sorted by name. A new directory is not listed, only its files.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }
}

impl Change {
    pub(crate) fn new(name: impl Into<String>, kind: ChangeKind) -> Self {
        Self { name: name.into(), kind, attributes: AttributesChange::default() }
    }
}

impl AttributesChange {
    pub(crate) fn find(wanted: Attributes, found: &std::fs::Metadata) -> Self {
        let differs = |from: u32, to: u32| (from != to).then_some(Changed { from, to });
        let Attributes { mode, owner } = wanted;
        Self {
            mode: differs(found.mode() & 0o7777, mode.bits()),
            user: owner.user.and_then(|user| differs(found.uid(), user)),
            group: owner.group.and_then(|group| differs(found.gid(), group)),
        }
    }

    pub(crate) fn is_none(self) -> bool {
        self == Self::default()
    }
}

impl Comparison {
    /// Compares the wanted set with nothing: every name is added.
    pub(crate) fn with_nothing(wanted: &FileMap<NewFile<'_>>) -> Self {
        let names = wanted.iter().map(|(name, _)| name.to_string()).chain([".".to_owned()]);
        let mut changes: Vec<_> = names.map(|name| Change::new(name, ChangeKind::Added)).collect();
        changes.sort();
        Self { changes }
    }
}

impl Compared {
    pub(crate) fn with_nothing(wanted: &FileMap<NewFile<'_>>) -> Self {
        let (comparison, view) = (Comparison::with_nothing(wanted), View::Full);
        Self { id: None, comparison, sizes: BTreeMap::new(), note: None, view }
    }
}
