//! Reports of failed steps of publishing.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use atomicdir::{Error, Refusal};
use rustix::process::geteuid;

use super::{About, ErrorKind, ErrorReport, describe};

impl From<&Error> for ErrorReport {
    fn from(error: &Error) -> Self {
        let kind = error.refusal().map_or(ErrorKind::PublishFailed, ErrorKind::from);
        let hint = match error.refusal() {
            Some(Refusal::Busy) => Some("let this run wait longer: --wait 5m".to_owned()),
            _ => owner_hint(error).or(error.hint().map(str::to_owned)),
        };
        Self::new(kind, error).with_hint(hint).about(about(error))
    }
}

impl ErrorReport {
    /// Makes a report of the given kind with the failed step.
    pub(crate) fn at_step(kind: ErrorKind, error: &Error) -> Self {
        Self::new(kind, error).about(about(error))
    }

    /// Reports that files with secrets were staged, but neither published nor removed.
    pub(crate) fn leftover(error: &Error) -> Self {
        let message = format!("unpublished files with secrets are left: {}", describe(error));
        let hint = "only the user who ran this can read them; the next run tries again to remove them";
        Self::from_message(ErrorKind::Leftover, message).with_hint(Some(hint)).about(about(error))
    }
}

fn about(error: &Error) -> About {
    let path = error.path().display().to_string();
    About { step: Some(error.step().number()), path: Some(path), ..About::default() }
}

/// Returns a hint if a file of secretdir, such as the lock, belongs to another user.
fn owner_hint(error: &Error) -> Option<String> {
    if !error.is_denied() {
        return None;
    }
    // Only the state directory and the files in it, which are only for runs. For other paths it is unknown who should
    // remove them.
    let mut names = error.path().iter().rev().take(2).map(OsStr::as_bytes);
    names.any(|name| name.starts_with(b".") && name.ends_with(b".state")).then_some(())?;
    let (owner, user) = (fs::symlink_metadata(error.path()).ok()?.uid(), geteuid().as_raw());
    let who = if owner == 0 { "root".to_owned() } else { format!("user {owner}") };
    (owner != user).then(|| {
        format!("it belongs to {who}: run as {who}, or have {who} remove it once if only you publish here")
    })
}

impl From<&Refusal> for ErrorKind {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Busy | Refusal::Kept => Self::Busy,
            Refusal::Name(_) => Self::InvalidName,
            Refusal::NotALink(_) => Self::NotALink,
            Refusal::PointsElsewhere(_) => Self::PointsElsewhere,
            Refusal::NotAStamp(_) => Self::NotAStamp,
            Refusal::Appeared => Self::LinkAppeared,
            Refusal::Replaceable(_) => Self::Replaceable,
            Refusal::WritableByEveryone(_) => Self::WritableByEveryone,
            Refusal::Vanished => Self::LinkVanished,
            Refusal::Swapped => Self::Swapped,
            Refusal::Moved => Self::ParentMoved,
            Refusal::NotOnRecord => Self::NotOnRecord,
            Refusal::TooMuch(_) => Self::TooMuchToRemove,
            Refusal::NotOurs { .. } => Self::NotOurs,
            Refusal::NotALockFile => Self::NotALockFile,
            Refusal::NotAGeneration => Self::NotAGeneration,
            Refusal::NotOfOurMaking => Self::NotOfOurMaking,
            Refusal::NeedsPrivilege { .. } => Self::NeedsPrivilege,
            Refusal::NotMapped => Self::NotMapped,
            Refusal::Incomplete => Self::Incomplete,
            Refusal::LockRemoved => Self::LockRemoved,
            Refusal::Umask => Self::BadUmask,
            Refusal::NoteTooLong(_) => Self::NoteTooLong,
            Refusal::NotPinned(_) => Self::NotPinned,
            _ => Self::PublishFailed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_refusal_has_a_kind_of_its_own() {
        let refusals = [
            Refusal::Busy,
            Refusal::NotALink("a file"),
            Refusal::PointsElsewhere("x".into()),
            Refusal::Appeared,
            Refusal::WritableByEveryone(0o777),
            Refusal::Vanished,
            Refusal::Swapped,
            Refusal::Moved,
            Refusal::NotOnRecord,
            Refusal::TooMuch(1),
            Refusal::NotOurs { owner: 1, user: 0 },
            Refusal::NotALockFile,
            Refusal::NotAGeneration,
            Refusal::NotOfOurMaking,
            Refusal::NotAStamp("a FIFO"),
            Refusal::NeedsPrivilege { who: "user 1".into(), capability: "CAP_CHOWN" },
            Refusal::NotMapped,
            Refusal::Incomplete,
            Refusal::LockRemoved,
            Refusal::Umask,
            Refusal::NoteTooLong(1),
            Refusal::NotPinned(1),
        ];
        let kinds: BTreeSet<_> = refusals.iter().map(ErrorKind::from).collect();
        assert_eq!(kinds.len(), refusals.len());
        assert!(!kinds.contains(&ErrorKind::PublishFailed));
    }
}
