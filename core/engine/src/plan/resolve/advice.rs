//! Warnings about settings that are valid but probably not intended.

use atomicdir::Mode;
use secretdir_provider::KeyPath;

use crate::config::owner::{OwnerSpec, Principal};
use crate::config::report::{Named, Report};

/// The classes of users with their permission bits: to read a file, to write it, and to enter a directory.
const CLASSES: [(&str, u32, u32, u32); 2] =
    [("the group", 0o040, 0o020, 0o010), ("everyone", 0o004, 0o002, 0o001)];

/// Warns about a file that its readers cannot reach, and about a file that they could change.
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

/// Adds the user and group that an owner names to the report.
pub(super) fn note_owner(owner: &OwnerSpec, at: &KeyPath, report: &mut Report<'_>) {
    if let Some(Principal::Name(name)) = &owner.user {
        report.mention(&at.clone().key("owner"), Named::User(name.clone()));
    }
    if let Some(Principal::Name(name)) = &owner.group {
        report.mention(&at.clone().key("group"), Named::Group(name.clone()));
    }
}
