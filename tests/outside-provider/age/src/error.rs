//! What can go wrong, in the words of the interface.

use std::io;
use std::path::Path;

use age::DecryptError;
use secretdir_provider::{SourceError, SourceErrorKind};

/// Reports a version, which no file has.
pub(crate) fn no_versions() -> SourceError {
    SourceError::new(SourceErrorKind::Unsupported).with_cause("a file has no versions")
}

/// Reports a name that cannot be that of a file below the root.
pub(crate) fn bad_name() -> SourceError {
    SourceError::new(SourceErrorKind::InvalidRequest)
        .with_cause("the name is not a path below the root")
        .with_hint("name the file without `.age`: `db/password` is the file `db/password.age`")
}

/// Reports that an encrypted file cannot be read. Where a link leads nowhere there is a secret, and it is lost for now.
pub(crate) fn of_file(path: &Path, error: io::Error) -> SourceError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound if is_behind_broken_link(path) => SourceErrorKind::Unavailable,
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SourceErrorKind::NotFound,
        io::ErrorKind::PermissionDenied => SourceErrorKind::PermissionDenied,
        _ => SourceErrorKind::Other,
    };
    SourceError::new(kind).with_cause(format!("the file {path:?} cannot be read: {error}"))
}

fn is_behind_broken_link(path: &Path) -> bool {
    path.ancestors().any(|place| place.is_symlink() && !place.exists())
}

/// Reports that there is no root: nobody can say what is not in it.
pub(crate) fn no_root(root: &Path) -> SourceError {
    SourceError::new(SourceErrorKind::Unavailable)
        .with_cause(format!("there is no directory {root:?}"))
        .with_hint("create or mount it, or correct `root`: a relative path starts at the folder of the configuration file")
}

/// Reports something that is no file, or too large to be a secret.
pub(crate) fn no_secret(path: &Path) -> SourceError {
    invalid(path, "is not a regular file of at most 16 MiB")
}

/// Reports that the identities cannot be read: whoever asks has nothing to show.
pub(crate) fn of_identities(path: &Path, error: io::Error) -> SourceError {
    SourceError::new(SourceErrorKind::Unauthenticated)
        .with_cause(format!("the identities {path:?} cannot be read: {error}"))
        .with_hint("`identities` is a file that `age-keygen` has written, and not encrypted itself")
}

/// Reports a file without an identity.
pub(crate) fn no_identity(path: &Path) -> SourceError {
    SourceError::new(SourceErrorKind::Unauthenticated)
        .with_cause(format!("the file {path:?} holds no identity"))
        .with_hint("`age-keygen -o FILE` makes one")
}

/// Reports that a file cannot be decrypted.
pub(crate) fn of_decryption(path: &Path, error: &DecryptError) -> SourceError {
    match error {
        DecryptError::NoMatchingKeys => SourceError::new(SourceErrorKind::PermissionDenied)
            .with_cause(format!("{path:?} is not encrypted for any of the identities"))
            .with_hint("`age-keygen -y` shows the recipients of the identities: encrypt it for one of them"),
        // Only a header that is whole can tell one from the other: both are one message.
        _ => invalid(path, "is damaged, or not a file of age"),
    }
}

fn invalid(path: &Path, what: &'static str) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidData).with_cause(format!("{path:?} {what}"))
}
