//! The errors of the provider.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::FileType;
use rustix::io::Errno;
use secretdir_provider::{Retry, SourceError, SourceErrorKind};

use crate::beneath::Refusal;
use crate::list::{MOST_COMPONENTS, MOST_ENTRIES};
use crate::name::NameFault;
use crate::read::MOST_BYTES;

/// The fault of one file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum FileFault {
    Open(Refusal),
    Read(Errno),
    NotRegular(FileType),
    TooLarge { bytes: u64 },
    Changed,
}

/// A cause with the system's error as its own cause.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
struct Failed {
    what: String,
    source: io::Error,
}

/// Reports a root that cannot be opened. A missing root is not "not found", because it says nothing about its files.
pub(crate) fn of_root(root: &Path, errno: Errno) -> SourceError {
    match errno {
        Errno::NOENT => SourceError::new(SourceErrorKind::Unavailable)
            .with_cause(nothing_at("directory", root))
            .with_hint(
                "create or mount it, or correct `root`: a relative path starts at the folder of the configuration file",
            ),
        Errno::LOOP => circle(Location::At(root)),
        Errno::NOTDIR => SourceError::new(SourceErrorKind::InvalidData)
            .with_cause(format!("the root {root:?} is not a directory, or is below a file")),
        _ => by_system(errno, format!("the root {root:?} cannot be opened")),
    }
}

/// Reports a file that cannot be opened or read.
pub(crate) fn of_file(place: Location<'_>, fault: FileFault) -> SourceError {
    match fault {
        FileFault::Open(refusal) => of_opening(place, refusal),
        FileFault::Read(errno) => by_system(errno, format!("{place} cannot be read")),
        FileFault::NotRegular(file_type) => {
            invalid(format!("{place} is {}, not a regular file", name_of(file_type)))
        }
        FileFault::TooLarge { bytes } => {
            invalid(format!("{place} has {bytes} bytes; the limit is {MOST_BYTES}"))
        }
        FileFault::Changed => invalid(format!("{place} changed during every attempt to read it"))
            .with_hint("replace it by renaming a new file over it instead of writing to it"),
    }
}

/// Reports a store's one file that cannot be opened or read. As with a root, a missing file says nothing about its
/// keys.
pub(crate) fn of_store(path: &Path, fault: FileFault) -> SourceError {
    match fault {
        FileFault::Open(Refusal::System(Errno::NOENT | Errno::NOTDIR)) => SourceError::new(
            SourceErrorKind::Unavailable,
        )
        .with_cause(nothing_at("file", path))
        .with_hint(
            "create it, or correct `path`: a relative path starts at the folder of the configuration file",
        ),
        _ => of_file(Location::At(path), fault),
    }
}

/// Reports a request for a version.
pub(crate) fn no_versions() -> SourceError {
    SourceError::new(SourceErrorKind::Unsupported).with_cause("a file has no versions")
}

/// Reports a name that no file below the root can have.
pub(crate) fn bad_name(fault: NameFault) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidRequest)
        .with_cause(format!("the name {fault}"))
        .with_hint("name a file by its path below `root`, such as `db/password`")
}

/// Reports a prefix that no name can begin with.
pub(crate) fn bad_prefix(fault: NameFault) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidRequest).with_cause(format!("the prefix {fault}"))
}

/// Reports a directory that cannot be listed.
pub(crate) fn of_listing(place: Location<'_>, refusal: Refusal) -> SourceError {
    let error = match refusal {
        Refusal::Absent | Refusal::LeadsNowhere | Refusal::System(Errno::XDEV | Errno::LOOP) => {
            of_opening(place, refusal)
        }
        Refusal::System(errno) => by_system(errno, format!("{place} cannot be listed")),
    };
    match refusal {
        Refusal::System(Errno::ACCESS | Errno::PERM) => {
            error.with_hint("to list secrets, the current user must be able to read each directory, too")
        }
        _ => error,
    }
}

/// Reports a directory that is nested too deep.
pub(crate) fn too_deep(place: Location<'_>) -> SourceError {
    invalid(format!("{place} is too deep to be listed: names have at most {MOST_COMPONENTS} components"))
        .with_hint("list another prefix, or let `root` be a directory with nothing but secrets")
}

/// Reports a root with too many files.
pub(crate) fn too_many(root: &Path) -> SourceError {
    invalid(format!(
        "there are more files and directories to list below {root:?} than the limit of {MOST_ENTRIES}"
    ))
    .with_hint("list a longer prefix, or let `root` be a directory with nothing but secrets")
}

/// Reports a root that changed between all attempts to list it. A retry may succeed.
pub(crate) fn restless(root: &Path) -> SourceError {
    invalid(format!("the files below {root:?} changed during every attempt to list them"))
        .with_retry(Retry::After(Duration::ZERO))
        .with_hint("prepare new secrets in another directory, and replace this one by flipping a link to it")
}

/// Reports a path that no longer leads to the directory that the run has begun to read. A retry would mix both.
pub(crate) fn replaced(root: &Path) -> SourceError {
    SourceError::new(SourceErrorKind::Unavailable)
        .with_cause(format!("the directory {root:?} was replaced or removed while it was being read"))
        .with_hint("run again: a run reads from one directory only")
}

fn of_opening(place: Location<'_>, refusal: Refusal) -> SourceError {
    let errno = match refusal {
        Refusal::Absent => {
            return SourceError::new(SourceErrorKind::NotFound).with_cause(format!("there is no {place}"));
        }
        Refusal::LeadsNowhere => return nowhere(place),
        Refusal::System(errno) => errno,
    };
    match errno {
        Errno::XDEV => SourceError::new(SourceErrorKind::PermissionDenied)
            .with_cause(format!("a symbolic link on the way to {place} leads out of the root"))
            .with_hint("only relative links that stay below `root` are followed"),
        Errno::LOOP => circle(place),
        // The system reports this for a socket, and for a device without a driver.
        Errno::NXIO | Errno::NODEV | Errno::OPNOTSUPP => {
            invalid(format!("{place} is a socket or a device, not a regular file"))
        }
        _ => by_system(errno, format!("{place} cannot be opened")),
    }
}

/// Reports a link whose target is missing. The name exists, so the store may have lost the secret only for now.
fn nowhere(place: Location<'_>) -> SourceError {
    SourceError::new(SourceErrorKind::Unavailable)
        .with_cause(format!("a symbolic link on the way to {place} leads nowhere"))
        .with_hint("restore the target of the link, or remove the link if the secret is really gone")
}

fn circle(place: Location<'_>) -> SourceError {
    SourceError::new(SourceErrorKind::Unavailable)
        .with_cause(format!("there are too many symbolic links on the way to {place}, perhaps in a circle"))
        .with_hint("let the link name the file itself")
}

/// Describes a path of the settings that leads to nothing, with the broken link on it.
fn nothing_at(what: &str, path: &Path) -> String {
    let last_name = path.ancestors().find(|place| place.symlink_metadata().is_ok());
    match last_name.filter(|place| place.is_symlink() && !place.exists()) {
        Some(link) => format!("there is no {what} {path:?}: the symbolic link {link:?} leads nowhere"),
        None => format!("there is no {what} {path:?}"),
    }
}

fn invalid(cause: String) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidData).with_cause(cause)
}

/// Reports an error of the system, with its kind and a hint.
fn by_system(errno: Errno, what: String) -> SourceError {
    let cause = Failed { what, source: errno.into() };
    let error = |kind| SourceError::new(kind);
    match errno {
        Errno::ACCESS | Errno::PERM => error(SourceErrorKind::PermissionDenied).with_hint(
            "the current user must be able to read the file, and to enter each directory of its path",
        ),
        Errno::NAMETOOLONG => error(SourceErrorKind::InvalidRequest),
        Errno::AGAIN | Errno::STALE | Errno::TIMEDOUT | Errno::HOSTDOWN => {
            error(SourceErrorKind::Unavailable).with_retry(Retry::After(Duration::ZERO))
        }
        _ => error(SourceErrorKind::Other),
    }
    .with_cause(cause)
}

/// A file or directory, as messages name it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Location<'a> {
    /// The file with this name below the root.
    Below { root: &'a Path, name: &'a str },
    /// The file at this path itself.
    At(&'a Path),
}

impl<'a> Location<'a> {
    /// Makes the location of a directory from its path below the root. The path of the root itself is empty.
    pub(crate) fn of_directory(root: &'a Path, path: &'a str) -> Self {
        if path.is_empty() { Self::At(root) } else { Self::Below { root, name: path } }
    }
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Below { root, name } => write!(f, "{name:?} below {root:?}"),
            Self::At(path) => write!(f, "{path:?}"),
        }
    }
}

fn name_of(file_type: FileType) -> &'static str {
    match file_type {
        FileType::Directory => "a directory",
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        FileType::CharacterDevice => "a character device",
        FileType::BlockDevice => "a block device",
        _ => "something else",
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn story(error: &SourceError) -> String {
        std::iter::successors(error.source(), |&cause| cause.source())
            .fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
    }

    fn opening(errno: Errno) -> SourceError {
        let place = Location::Below { root: Path::new("/run/app"), name: "db/password" };
        of_file(place, FileFault::Open(Refusal::System(errno)))
    }

    #[test]
    fn an_error_names_the_root_the_file_and_the_cause_once() {
        let place = Location::Below { root: Path::new("/run/app"), name: "db/password" };
        let told = [Refusal::Absent, Refusal::LeadsNowhere]
            .map(|refusal| story(&of_file(place, FileFault::Open(refusal))));
        assert_eq!(
            told,
            [
                r#"not found: there is no "db/password" below "/run/app""#,
                r#"unavailable: a symbolic link on the way to "db/password" below "/run/app" leads nowhere"#,
            ]
        );
        let told = [Errno::XDEV, Errno::LOOP, Errno::ACCESS, Errno::NXIO].map(|errno| story(&opening(errno)));
        assert_eq!(
            told,
            [
                r#"permission denied: a symbolic link on the way to "db/password" below "/run/app" leads out of the root"#,
                r#"unavailable: there are too many symbolic links on the way to "db/password" below "/run/app", perhaps in a circle"#,
                r#"permission denied: "db/password" below "/run/app" cannot be opened: Permission denied (os error 13)"#,
                r#"invalid data: "db/password" below "/run/app" is a socket or a device, not a regular file"#,
            ]
        );
    }

    #[test]
    fn a_root_is_told_apart_from_a_file() {
        let told =
            [Errno::NOENT, Errno::NOTDIR, Errno::ACCESS].map(|errno| story(&of_root(Path::new("/x"), errno)));
        assert_eq!(
            told,
            [
                r#"unavailable: there is no directory "/x""#,
                r#"invalid data: the root "/x" is not a directory, or is below a file"#,
                r#"permission denied: the root "/x" cannot be opened: Permission denied (os error 13)"#,
            ]
        );
    }

    #[test]
    fn only_what_may_pass_is_worth_another_try() {
        assert_eq!(opening(Errno::STALE).retry(), Retry::After(Duration::ZERO));
        assert_eq!(opening(Errno::STALE).kind(), SourceErrorKind::Unavailable);
        for errno in [Errno::NOENT, Errno::ACCESS, Errno::NAMETOOLONG, Errno::IO] {
            assert_eq!(opening(errno).retry(), Retry::No, "{errno}");
        }
    }
}
