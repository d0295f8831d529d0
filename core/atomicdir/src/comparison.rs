//! What a comparison comes to: the names that differ, and how.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use crate::{Attributes, FileMap, Id, NewFile, View};

/// How what is published differs from what is wanted.
///
/// A name may differ in more than one way, and is then there once for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    pub(crate) changes: Vec<Change>,
}

/// A comparison without a lock, and what else was seen of the generation that it is of.
#[derive(Debug)]
#[non_exhaustive]
pub struct Compared {
    /// The generation that the link named, if there was one.
    pub id: Option<Id>,
    /// How it differs from what is wanted. Of a generation of somebody whom we do not trust, all is to be added.
    pub comparison: Comparison,
    /// The files in it that were compared, and how many bytes each has.
    pub sizes: BTreeMap<String, u64>,
    /// The note beside it: none if this user may not read it ([`View::Reader`]), or if there is none.
    pub note: Option<Vec<u8>>,
    /// How much of it this user may see.
    pub view: View,
}

/// One name that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Change {
    /// The name of the file or directory; `.` is the generation itself.
    pub name: String,
    /// How it differs.
    pub kind: ChangeKind,
    /// Which attributes differ, if that is how it differs.
    pub attributes: AttributesChange,
}

/// Which attributes of a name differ: none of those that are wanted as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct AttributesChange {
    /// The permission bits, the special ones included.
    pub mode: Option<Changed>,
    /// The owner, by number.
    pub user: Option<Changed>,
    /// The group, by number.
    pub group: Option<Changed>,
}

/// One attribute that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Changed {
    /// What is published.
    pub from: u32,
    /// What is wanted.
    pub to: u32,
}

/// How a name differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It is wanted, and not published.
    Added,
    /// It is published, and not wanted.
    Removed,
    /// It holds other bytes.
    Content,
    /// It has another mode or owner.
    Attributes,
}

impl Comparison {
    /// Says whether there is nothing to publish: names, bytes, modes and named owners are all as wanted.
    pub fn is_same(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns what differs, in the order of the names. Of a directory that is new, only the files are named.
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
    /// Compares what is wanted with nothing: all of it is to be added.
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
