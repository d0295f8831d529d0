//! Who could replace a path, or what it leads to. The rule is that of sshd's `StrictModes` and of systemd-tmpfiles.
//!
//! 1. Every directory from `/` down belongs to root or to the user who runs this, and neither its group nor everyone may
//!    write to it. A sticky directory may be open to all: in it nobody replaces what belongs to others.
//! 2. A symbolic link on the way belongs to root or to that user. The path that it holds is judged in the same way.
//! 3. A group counts as nobody if only root and that user are in it (see [`groups`](crate::groups)). An entry of an access
//!    control list that lets somebody else write counts like a write bit.
//!
//! Each component is judged before the next one is looked up. So from there on nobody else can change what was judged.
//!
//! A mode says who may write, with three exceptions, which are looked at: a sticky directory, in which each may replace only
//! what is their own; a group of which nobody else is a member; and an access control list, for which the mode's group
//! bits are the most that it can give.
//!
//! Not looked at are capabilities, security modules, and whoever has the disk or the server of a network filesystem. They
//! are as good as root.

use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, Uid, User};
use rustix::process::geteuid;

use crate::acl::{self, Writer};
use crate::resolve::{Missing, Resolver};
use crate::{Error, Refusal, Result, Step, groups};

/// Whether the directories that lead to a link are examined. The rule is in the README, under "Who can replace the link".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Parents {
    /// Refuse a link that anyone but root and the user who runs this could replace.
    #[default]
    Strict,
    /// Whoever can write to the directories that lead to the link is trusted not to replace anything: for a volume that
    /// all its users share, such as the `emptyDir` of a Kubernetes pod.
    Trusted,
}

/// Somebody else could replace a component of a path, or what is in it.
///
/// `Display` names the owner, the mode and whoever could do so. The component is not in it: the
/// [error](crate::Error::path) has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaceable {
    component: PathBuf,
    kind: Kind,
    user: u32,
    mode: u32,
    by: By,
}

/// What a component of a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whoever may write to it can replace what is in it.
    Directory,
    /// Only its owner counts: a link cannot be written to.
    Link,
    /// What a path ends at. Whoever may write to it can change what it says.
    File,
}

/// Who could do so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// It belongs to them.
    Owner,
    /// They are in the group that may write to it.
    Group(u32),
    Everyone,
    /// An entry of its access control list names the user.
    UserOfList(u32),
    /// An entry of its access control list names their group.
    GroupOfList(u32),
    /// Its list cannot be read.
    UnreadableList,
}

impl Replaceable {
    /// Returns the component of the path that somebody else controls.
    pub fn component(&self) -> &Path {
        &self.component
    }
}

/// Ensures that nobody but root and the user who runs this can edit or replace the file that a path leads to.
///
/// ```
/// assert!(atomicdir::ensure_irreplaceable("/etc/passwd").is_ok());
/// ```
///
/// Whoever is about to do as a file says asks this first. A FIFO is judged like a file. A pipe or another thing without a
/// name, on `/dev/stdin` for example, is for whoever started this process to choose, and so is a device.
///
/// # Errors
///
/// [`Refusal::Replaceable`] names the component; and whatever keeps the path from being followed.
pub fn ensure_irreplaceable(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let mut resolver = Resolver::new(path, Parents::Strict, Missing::Refuse)?;
    resolver.run()
}

/// Judges one component, which nobody else could have changed since it was looked at.
pub(crate) fn judge(component: &Path, kind: Kind, found: &Metadata) -> Result<()> {
    let (user, mode) = (found.uid(), found.mode() & 0o7777);
    let by = if user != 0 && user != geteuid().as_raw() {
        Some(By::Owner)
    } else if kind == Kind::Link || (kind == Kind::Directory && mode & 0o1000 != 0) {
        None
    } else {
        writer(component, found.gid(), mode)
    };
    let Some(by) = by else { return Ok(()) };
    let why = Replaceable { component: component.to_owned(), kind, user, mode, by };
    Err(Error::refuse(Step::Parent, "rely on", component, Refusal::Replaceable(why)))
}

/// Returns who else may write.
fn writer(component: &Path, group: u32, mode: u32) -> Option<By> {
    if mode & 0o002 != 0 {
        return Some(By::Everyone);
    }
    // Without group bits neither the group nor anyone whom a list names may write: they are the list's mask.
    if mode & 0o020 == 0 {
        return None;
    }
    let by_group = |by: By, group: u32| (!groups::is_private(group)).then_some(by);
    let Ok(writers) = acl::writers(component) else { return Some(By::UnreadableList) };
    let Some(writers) = writers else { return by_group(By::Group(group), group) };
    writers.into_iter().find_map(|writer| match writer {
        Writer::User(user) if user == 0 || user == geteuid().as_raw() => None,
        Writer::User(user) => Some(By::UserOfList(user)),
        Writer::OwningGroup => by_group(By::Group(group), group),
        Writer::Group(named) => by_group(By::GroupOfList(named), named),
    })
}

impl Kind {
    /// Returns what it is called, and what somebody could do who can write to it or owns it.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Directory => ("the directory", "replace what is in it"),
            Self::Link => ("the symbolic link", "make it lead elsewhere"),
            Self::File => ("the file", "change it"),
        }
    }
}

impl fmt::Display for Replaceable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, could) = self.kind.words();
        let (owner, mode) = (user(self.user), self.mode);
        let may_write = match self.by {
            By::Owner => return write!(f, "{what} belongs to {owner} (mode {mode:04o}), who could {could}"),
            By::Everyone => "everyone can".to_owned(),
            By::Group(id) => format!("{} can", group(id)),
            By::UserOfList(id) => format!("its access control list lets {}", user(id)),
            By::GroupOfList(id) => format!("its access control list lets {}", group(id)),
            By::UnreadableList => "its access control list cannot be read, so somebody else might".to_owned(),
        };
        write!(f, "{may_write} write to {what} (owner {owner}, mode {mode:04o}), and so {could}")
    }
}

impl std::error::Error for Replaceable {}

/// Returns what a user is called, for messages.
fn user(id: u32) -> String {
    match User::from_uid(Uid::from_raw(id)) {
        Ok(Some(user)) => format!("user {} ({id})", user.name),
        _ => format!("user {id}"),
    }
}

/// Returns what a group is called, for messages.
fn group(id: u32) -> String {
    match Group::from_gid(Gid::from_raw(id)) {
        Ok(Some(group)) => format!("group {} ({id})", group.name),
        _ => format!("group {id}"),
    }
}
