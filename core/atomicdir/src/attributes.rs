//! Modes and owners, and the data of a file to publish.
//!
//! Owners are numbers. The caller looks up the names of users and groups, once a run rather than once a file.

use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::str::FromStr;

use rustix::fs::{Gid, Uid};
use rustix::process::{getegid, geteuid, getgroups};

use crate::Refusal;
use crate::platform::{self, Privilege};

/// Permission bits: nine of them, `0000` to `0777`.
///
/// Set-user-ID, set-group-ID and sticky bits are left out on purpose, because no published file should have them. A
/// published file that has one differs from every wanted mode.
///
/// ```
/// use atomicdir::Mode;
///
/// assert_eq!("0440".parse::<Mode>()?.to_string(), "0440");
/// assert!("1777".parse::<Mode>().is_err());
/// # Ok::<(), atomicdir::ModeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mode(u32);

/// The error for a text that is not a mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected permission bits in octal, from \"0000\" to \"0777\"")]
pub struct ModeError;

impl Mode {
    /// Only the owner may read. For files.
    pub const OWNER_READS: Self = Self(0o400);
    /// Only the owner may list, enter and change it. For directories.
    pub const OWNER_ONLY: Self = Self(0o700);

    /// Makes a mode of permission bits: `None` for more than `0o777`.
    pub const fn new(bits: u32) -> Option<Self> {
        if bits <= 0o777 { Some(Self(bits)) } else { None }
    }

    /// Returns the bits.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Returns whether all of these bits are set.
    pub const fn allows(self, bits: u32) -> bool {
        self.0 & bits == bits
    }

    /// Returns the bits in the form that system calls take.
    pub(crate) fn raw(self) -> rustix::fs::Mode {
        rustix::fs::Mode::from_raw_mode(self.0)
    }
}

impl FromStr for Mode {
    type Err = ModeError;

    fn from_str(text: &str) -> Result<Self, ModeError> {
        let octal = (3..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let bits = if octal { u32::from_str_radix(text, 8).ok() } else { None };
        bits.and_then(Self::new).ok_or(ModeError)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// The owner that a file should have. A user or group that you leave out is neither set nor compared. The file then
/// belongs to the user or group of the publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Owner {
    /// The user, by number.
    pub user: Option<u32>,
    /// The group, by number.
    pub group: Option<u32>,
}

impl Owner {
    /// Checks whether this process may give files to this owner, and manage them afterwards.
    ///
    /// Call it before you gather or stage anything. Otherwise a run may fail at the first `fchown`, after all other
    /// work. It checks the process, not the filesystem, which may still refuse (NFS with `root_squash` does).
    ///
    /// # Errors
    ///
    /// [`Refusal::NeedsPrivilege`] if this process lacks a privilege that it would need.
    pub fn ensure_permitted(self) -> Result<(), Refusal> {
        let (who, needed) = self.needs_privileges();
        match needed.iter().find(|privilege| !platform::has(**privilege)) {
            Some(missing) => Err(Refusal::NeedsPrivilege { who, capability: missing.name() }),
            None => Ok(()),
        }
    }

    /// Returns the user or group that needs privileges to give a file to, and those privileges. Every user may give a
    /// file to a group that they are in.
    fn needs_privileges(self) -> (String, &'static [Privilege]) {
        if let Some(user) = self.user.filter(|user| *user != geteuid().as_raw()) {
            let all = &[Privilege::Chown, Privilege::Fowner, Privilege::DacOverride];
            return (format!("user {user}"), all);
        }
        let group = self.group.filter(|group| *group != getegid().as_raw());
        match group.filter(|group| !getgroups().unwrap_or_default().contains(&Gid::from_raw(*group))) {
            Some(group) => (format!("group {group}"), &[Privilege::Chown]),
            None => (String::new(), &[]),
        }
    }

    /// Removes the user and group that a new file has anyway.
    pub(crate) fn beyond(self, born: Owner) -> Self {
        Self {
            user: self.user.filter(|_| self.user != born.user),
            group: self.group.filter(|_| self.group != born.group),
        }
    }

    /// Returns whether neither the user nor the group is set.
    pub(crate) fn is_unset(self) -> bool {
        self.user.is_none() && self.group.is_none()
    }

    /// Returns the numbers in the form that system calls take.
    pub(crate) fn raw(self) -> (Option<Uid>, Option<Gid>) {
        (self.user.map(Uid::from_raw), self.group.map(Gid::from_raw))
    }

    /// Returns the owner of a file.
    pub(crate) fn of(found: &Metadata) -> Self {
        Self { user: Some(found.uid()), group: Some(found.gid()) }
    }
}

/// The mode and owner of a file or directory.
///
/// They are compared with the published ones. If the mode differs, or a configured owner, the run publishes again.
/// Access control lists, extended attributes and labels are neither written nor compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attributes {
    /// The permission bits, regardless of the umask.
    pub mode: Mode,
    /// The owner.
    pub owner: Owner,
}

impl Attributes {
    /// Combines a mode and an owner.
    pub const fn new(mode: Mode, owner: Owner) -> Self {
        Self { mode, owner }
    }

    /// Returns a mode without an owner.
    pub const fn with_mode(mode: Mode) -> Self {
        Self::new(mode, Owner { user: None, group: None })
    }
}

/// One file to publish.
///
/// It borrows its bytes, so a secret is in memory only once. `Debug` does not show the bytes.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct NewFile<'a> {
    /// The contents.
    pub bytes: &'a [u8],
    /// Its mode and owner.
    pub attributes: Attributes,
}

impl<'a> NewFile<'a> {
    /// Combines bytes and attributes.
    pub const fn new(bytes: &'a [u8], attributes: Attributes) -> Self {
        Self { bytes, attributes }
    }
}

impl fmt::Debug for NewFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewFile").field("attributes", &self.attributes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal_texts_of_three_or_four_digits() {
        for (text, bits) in [("0440", 0o440), ("440", 0o440), ("0000", 0), ("0777", 0o777)] {
            assert_eq!(text.parse(), Ok(Mode(bits)));
        }
        for text in ["", "0o440", "44", "+440", "0888", "1777", "00440", "-440", "0x1f"] {
            assert_eq!(text.parse::<Mode>(), Err(ModeError), "{text}");
        }
    }

    #[test]
    fn debug_of_a_file_holds_no_bytes() {
        let file = NewFile::new(b"canary", Attributes::with_mode(Mode::OWNER_READS));
        assert!(!format!("{file:?}").contains("99"), "{file:?}");
    }
}
