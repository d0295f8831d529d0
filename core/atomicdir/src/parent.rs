//! Step 1: the directory that holds the link, and who else can write to it.

use std::fmt;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, fchmod, fsync, mkdirat, openat};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid};

use crate::error::At;
use crate::{Durability, Error, Refusal, Result, Step};

/// For directories below the parent: never through a link.
pub(crate) const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Missing parents get this mode, whatever the umask: /run is empty after a boot, and readers must get through.
const PARENT_MODE: Mode = Mode::from_raw_mode(0o755);

/// The directory that holds the link: opened once, every later call is relative to it.
#[derive(Debug)]
pub(crate) struct Parent {
    pub(crate) directory: File,
    pub(crate) path: PathBuf,
    pub(crate) device: u64,
    pub(crate) exposure: Exposure,
    pub(crate) warnings: Vec<Warning>,
}

/// Whether anyone but us and root can put names into the parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exposure {
    Private,
    Shared,
}

/// What an operator should know, though nothing failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A group other than the runner's own can write to the parent, and so replace the link.
    WritableByGroup {
        /// The parent.
        path: PathBuf,
        /// The group, by number.
        group: u32,
    },
    /// Somebody else owns the parent, and so can replace the link.
    OwnedByOther {
        /// The parent.
        path: PathBuf,
        /// The user, by number.
        user: u32,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WritableByGroup { path, group } => {
                write!(f, "group {group} can write to `{}` and so replace the link in it", path.display())
            }
            Self::OwnedByOther { path, user } => {
                write!(f, "user {user} owns `{}` and so can replace the link in it", path.display())
            }
        }
    }
}

impl Parent {
    /// Opens the parent, making what is missing of it.
    pub(crate) fn open_or_make(path: PathBuf, durability: Durability) -> Result<Self> {
        let directory = open_or_make(&path, durability)?;
        Self::judge(directory, path)
    }

    /// Opens the parent to look at it: `None` if it is not there. Root may look at what others publish, so whose it is
    /// does not matter.
    pub(crate) fn open_to_look(path: PathBuf) -> Result<Option<Self>> {
        let directory = match open(&path) {
            Err(Errno::NOENT) => return Ok(None),
            opened => opened.at(Step::Parent, "open", &path)?,
        };
        Ok(Some(Self { exposure: Exposure::Private, ..Self::judge(directory, path)? }))
    }

    fn judge(directory: File, path: PathBuf) -> Result<Self> {
        let found = directory.metadata().at(Step::Parent, "inspect", &path)?;
        let mode = found.mode();
        if mode & 0o002 != 0 && mode & 0o1000 == 0 {
            let why = Refusal::WritableByEveryone(mode & 0o7777);
            return Err(Error::refuse(Step::Parent, "publish in", path, why));
        }
        let warnings = warnings(&found, &path);
        let foreign = mode & 0o022 != 0 || owned_by_other(&found);
        let exposure = if foreign { Exposure::Shared } else { Exposure::Private };
        Ok(Self { directory, path, device: found.dev(), exposure, warnings })
    }

    /// Returns the path of a name in the parent, for messages.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Says that something in the parent is ours, which matters where anyone else can put names there.
    pub(crate) fn ensure_ours(&self, step: Step, name: &str, owner: u32, also: Option<u32>) -> Result<()> {
        let user = geteuid().as_raw();
        if self.exposure == Exposure::Private || owner == user || Some(owner) == also {
            return Ok(());
        }
        Err(Error::refuse(step, "trust", self.join(name), Refusal::NotOurs { owner, user }))
    }
}

fn owned_by_other(found: &Metadata) -> bool {
    found.uid() != 0 && found.uid() != geteuid().as_raw()
}

fn warnings(found: &Metadata, path: &Path) -> Vec<Warning> {
    let group = found.gid();
    let by_group = found.mode() & 0o020 != 0 && group != getegid().as_raw();
    let by_group = by_group.then(|| Warning::WritableByGroup { path: path.to_owned(), group });
    let by_owner =
        owned_by_other(found).then(|| Warning::OwnedByOther { path: path.to_owned(), user: found.uid() });
    by_group.into_iter().chain(by_owner).collect()
}

/// Links are followed here, and only here: an operator may have moved /run or /srv.
fn open(path: &Path) -> rustix::io::Result<File> {
    const FOLLOW: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
    openat(CWD, path, FOLLOW, Mode::empty()).map(File::from)
}

fn open_or_make(path: &Path, durability: Durability) -> Result<File> {
    match (open(path), path.file_name()) {
        (Err(Errno::NOENT), Some(name)) => {
            let above = match path.parent() {
                Some(above) if above != Path::new("") => open_or_make(above, durability)?,
                _ => open_or_make(Path::new("."), durability)?,
            };
            make_parent(&above, Path::new(name), path, durability)
        }
        (opened, _) => opened.at(Step::Parent, "open", path),
    }
}

fn make_parent(above: &File, name: &Path, path: &Path, durability: Durability) -> Result<File> {
    let directory = match mkdirat(above, name, PARENT_MODE) {
        Err(Errno::EXIST) => return open(path).at(Step::Parent, "open", path),
        made => {
            made.at(Step::Parent, "create", path)?;
            open_made(above, name, Step::Parent, path)?
        }
    };
    fchmod(&directory, PARENT_MODE).at(Step::Parent, "set the mode of", path)?;
    if durability.syncs_each() {
        fsync(above).at(Step::Parent, "sync the parent of", path)?;
    }
    Ok(directory)
}

/// Opens a directory that was just made: only a umask can keep its owner out.
pub(crate) fn open_made(above: &File, name: &Path, step: Step, path: &Path) -> Result<File> {
    match openat(above, name, DIRECTORY, Mode::empty()) {
        Err(Errno::ACCESS) => Err(Error::refuse(step, "open", path, Refusal::Umask)),
        opened => opened.map(File::from).at(step, "open", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_say_who_can_do_what_where() {
        let path = PathBuf::from("/srv/app");
        let by_group = Warning::WritableByGroup { path: path.clone(), group: 7 };
        assert_eq!(by_group.to_string(), "group 7 can write to `/srv/app` and so replace the link in it");
        let by_owner = Warning::OwnedByOther { path, user: 8 };
        assert_eq!(by_owner.to_string(), "user 8 owns `/srv/app` and so can replace the link in it");
    }
}
