//! `[directory]`: the location of the set, and the attributes that files inherit.

use std::path::{Path, PathBuf};
use std::time::Duration;

use atomicdir::{Durability, LinkName, Mode, Options, Parents};
use secretdir_provider::KeyPath;

use super::advice;
use crate::config::Config;
use crate::config::owner::OwnerSpec;
use crate::config::report::Report;
use crate::config::section::{self, DirectorySection};
use crate::plan::content::PlannedAttributes;

/// The mode bits that the owner of a directory needs to list and enter it.
const LIST_AND_ENTER: u32 = 0o500;

/// The mode bit that the owner of a file needs to read it.
const READ: u32 = 0o400;

/// The resolved `[directory]`. A placeholder replaces each invalid value. The error has been reported, so no plan will
/// contain it.
pub(super) struct Directory {
    pub(super) link: PathBuf,
    /// The name of the link. None if it is invalid.
    pub(super) name: Option<LinkName>,
    pub(super) attributes: PlannedAttributes,
    /// The attributes that files inherit.
    pub(super) files: PlannedAttributes,
    pub(super) retain: Duration,
    pub(super) durability: Durability,
    pub(super) parents: Parents,
}

/// Resolves `[directory]`.
pub(super) fn resolve(config: &Config, report: &mut Report<'_>) -> Directory {
    let at = KeyPath::from("directory");
    if !config.table.contains_key("directory") {
        report.error(&at, "missing; [directory] names the path to publish at");
    }
    let section: DirectorySection =
        section::read_if_there(&config.table, "directory", report).unwrap_or_default();
    let link = section.path.as_deref().and_then(|path| link(path, config, report));
    let (link, name) = link.unzip();
    let owner = OwnerSpec { user: section.owner, group: section.group };
    let directory = Directory {
        link: link.unwrap_or_default(),
        name,
        attributes: PlannedAttributes {
            mode: section.mode.unwrap_or(Mode::OWNER_ONLY),
            owner: owner.clone(),
        },
        files: PlannedAttributes { mode: section.file_mode.unwrap_or(Mode::OWNER_READS), owner },
        retain: section.retain.unwrap_or(Options::RETAIN),
        durability: section.durability.unwrap_or_default(),
        parents: section.parents.unwrap_or_default(),
    };
    check_modes(&directory, report);
    advice::note_owner(&directory.attributes.owner, &at, report);
    directory
}

/// Returns the path of the link, and its name.
fn link(path: &str, config: &Config, report: &mut Report<'_>) -> Option<(PathBuf, LinkName)> {
    let split = LinkName::split(Path::new(path));
    let at = KeyPath::from("directory");
    let (_, name) = split.map_err(|error| report.error(&at.clone().key("path"), error.to_string())).ok()?;
    let located = config.path("path", path).map_err(|error| report.settings(&at, &error)).ok()?;
    Some((located, name))
}

fn check_modes(directory: &Directory, report: &mut Report<'_>) {
    if !directory.attributes.mode.allows(LIST_AND_ENTER) {
        let message = "must include 0500: secretdir lists and enters the directory to compare and remove it";
        report.error(&KeyPath::from(["directory", "mode"]), message);
    }
    check_file_mode(directory.files.mode, &KeyPath::from(["directory", "file-mode"]), report);
}

/// Reports a file mode with which secretdir could not read the file again.
pub(super) fn check_file_mode(mode: Mode, at: &KeyPath, report: &mut Report<'_>) {
    if !mode.allows(READ) {
        report.error(at, "must include 0400: secretdir reads the file to compare it");
    }
}
