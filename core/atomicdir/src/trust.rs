//! The rule about who could replace a path or its target. It is the rule of sshd's `StrictModes` and of
//! systemd-tmpfiles.
//!
//! 1. Every directory from `/` down belongs to root or to the current user. Neither its group nor everyone may write to
//!    it. A sticky directory may be open to all, because nobody can replace the files of others in it.
//! 2. A symbolic link on the way belongs to root or to the current user. Its target is checked in the same way.
//! 3. A group is ignored if its only members are root and the current user (see [`groups`](crate::groups)). An entry of
//!    an access control list that lets another user write counts like a write bit.
//!
//! Each component is checked before the next one is looked up. So no other user can change it after that.
//!
//! A mode says who may write, with three exceptions, which the code handles:
//!
//! - In a sticky directory, users may replace only their own files.
//! - A group may have no other members.
//! - With an access control list, the mode's group bits are only the maximum that the list can give.
//!
//! The rule does not cover capabilities, security modules, and those who control the disk or the server of a network
//! filesystem. They are as powerful as root.

use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, Uid, User};
use rustix::process::geteuid;

use crate::acl::{self, Writer};
use crate::resolve::{Missing, Resolver};
use crate::{Error, Refusal, Result, Step, groups};

/// Whether the directories that lead to a link are checked. The README has the rule, under "Who can replace the link".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Parents {
    /// Refuse a link that anyone but root and the current user could replace.
    #[default]
    Strict,
    /// Trust everyone who can write to the directories that lead to the link not to replace anything. For a volume that
    /// all its users share, such as the `emptyDir` of a Kubernetes pod.
    Trusted,
}

/// Another user could replace a component of a path, or its contents.
///
/// `Display` names the owner, the mode and those who could do so. It does not name the component:
/// [`Error::path`](crate::Error::path) does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaceable {
    component: PathBuf,
    kind: Kind,
    user: u32,
    mode: u32,
    by: By,
}

/// The type of a path's component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Users who may write to it can replace its contents.
    Directory,
    /// Only its owner matters, because a link cannot be written to.
    Link,
    /// The end of a path. Users who may write to it can change its contents.
    File,
}

/// Those who could replace it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// Its owner.
    Owner,
    /// The members of the group that may write to it.
    Group(u32),
    Everyone,
    /// A user that its access control list names.
    UserOfList(u32),
    /// The members of a group that its access control list names.
    GroupOfList(u32),
    /// Unknown, because its access control list cannot be read.
    UnreadableList,
}

impl Replaceable {
    /// Returns the component of the path that another user controls.
    pub fn component(&self) -> &Path {
        &self.component
    }
}

/// Checks that only root and the current user can edit or replace the file that a path leads to.
///
/// ```
/// assert!(atomicdir::ensure_trusted("/etc/passwd").is_ok());
/// ```
///
/// Call it before you follow the instructions in a file. A FIFO is checked like a file. Pipes and other objects without
/// a name, for example on `/dev/stdin`, are accepted, because whoever started this process chose them. So are devices.
///
/// # Errors
///
/// [`Refusal::Replaceable`], which names the component. Also any error that keeps the path from being followed.
pub fn ensure_trusted(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let mut resolver = Resolver::new(path, Parents::Strict, Missing::Refuse)?;
    resolver.run()
}

/// Judges one component. No other user can have changed it since it was inspected.
pub(crate) fn check_trusted(component: &Path, kind: Kind, found: &Metadata) -> Result<()> {
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

/// Returns another user or group that may write.
fn writer(component: &Path, group: u32, mode: u32) -> Option<By> {
    if mode & 0o002 != 0 {
        return Some(By::Everyone);
    }
    // The group bits are the list's mask. Without them, neither the group nor anyone in the list may write.
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
    /// Returns the name of its type, and what a user who owns it or can write to it could do.
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
            By::UnreadableList => "its access control list cannot be read, so others might".to_owned(),
        };
        write!(f, "{may_write} write to {what} (owner {owner}, mode {mode:04o}), and so {could}")
    }
}

impl std::error::Error for Replaceable {}

/// Returns the name of a user, for messages.
fn user(id: u32) -> String {
    match User::from_uid(Uid::from_raw(id)) {
        Ok(Some(user)) => format!("user {} ({id})", user.name),
        _ => format!("user {id}"),
    }
}

/// Returns the name of a group, for messages.
fn group(id: u32) -> String {
    match Group::from_gid(Gid::from_raw(id)) {
        Ok(Some(group)) => format!("group {} ({id})", group.name),
        _ => format!("group {id}"),
    }
}
