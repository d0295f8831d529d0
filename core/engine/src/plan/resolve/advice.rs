//! Warnings: what a configuration may say, and yet is hardly meant.

use atomicdir::{Mode, Owner};
use rustix::process::geteuid;
use secretdir_provider::KeyPath;

use crate::config::owner::{OwnerSpec, Principal};
use crate::config::report::{Named, Report};

/// Who a permission bit is for: in words, the bits to read and write a file, and to enter a directory.
const CLASSES: [(&str, u32, u32, u32); 2] =
    [("the group", 0o040, 0o020, 0o010), ("everyone", 0o004, 0o002, 0o001)];

/// Warns of a file that somebody could read who cannot get at it, and of one that a reader could change.
pub(super) fn on_mode(file: Mode, directory: Mode, at: impl Fn() -> KeyPath, report: &mut Report<'_>) {
    for (who, read, write, enter) in CLASSES {
        if file.allows(read) && !directory.allows(enter) {
            let message = format!(
                "{who} may read a file of mode {file}, but not enter the directory: its mode {directory} lacks {enter:04o}"
            );
            report.warn(&at(), message);
        }
        if file.allows(write) {
            report.warn(&at(), format!("mode {file} lets {who} change the secret"));
        }
    }
}

/// Notes which names an owner has, and warns of one that the user who runs this cannot give files to.
pub(super) fn on_owner(owner: &OwnerSpec, at: &KeyPath, report: &mut Report<'_>) {
    if let Some(Principal::Name(name)) = &owner.user {
        report.mention(&at.clone().key("owner"), Named::User(name.clone()));
    }
    if let Some(Principal::Name(name)) = &owner.group {
        report.mention(&at.clone().key("group"), Named::Group(name.clone()));
    }
    if let Some(message) = owner.user.as_ref().and_then(user) {
        report.warn(&at.clone().key("owner"), message);
    }
    if let Some(message) = owner.group.as_ref().and_then(group) {
        report.warn(&at.clone().key("group"), message);
    }
}

fn user(user: &Principal) -> Option<String> {
    match user {
        Principal::Id(id) => refusal(Owner { user: Some(*id), group: None }),
        Principal::Name(_) if geteuid().is_root() => None,
        Principal::Name(name) => Some(format!(
            "giving files to `{name}` takes root or CAP_CHOWN, unless it is the user who runs this"
        )),
    }
}

/// A group's name is taken on trust: most are one that the user is in.
fn group(group: &Principal) -> Option<String> {
    match group {
        Principal::Id(id) => refusal(Owner { user: None, group: Some(*id) }),
        Principal::Name(_) => None,
    }
}

fn refusal(owner: Owner) -> Option<String> {
    owner.ensure_permitted().err().map(|refusal| refusal.to_string())
}
