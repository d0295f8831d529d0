//! POSIX access control lists: finds who else may write to a directory, and removes the lists that new directories
//! inherit.
//!
//! The extended attributes have the layout of the kernel's `posix_acl_xattr.h`, version 2. It is a version number, then
//! entries of a tag, permissions and an ID, all little-endian. A filesystem without such lists names no other writers.
//!
//! With a list, the group bits of the mode are its mask. The mask limits every entry except those of the owner and of
//! everyone. So if the mode has no group bits, the list need not be read. If it has them, they may overstate what the
//! owning group may do.

use std::fs::File;
use std::path::Path;

use rustix::fs::{fremovexattr, lgetxattr, lgetxattr_query};
use rustix::io::Errno;

/// The list of who may use a file or directory. Only root and its owner can change it.
const ACCESS: &str = "system.posix_acl_access";

/// The list that new files and directories inherit.
const DEFAULT: &str = "system.posix_acl_default";

const VERSION: u32 = 2;
const ENTRY: usize = 8;
const WRITE: u16 = 2;

/// A user or group that a list allows to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    /// A user, by number.
    User(u32),
    /// The owning group. The group bits of the mode are the list's mask, so only the list says what the group may do.
    OwningGroup,
    /// Another group, by number.
    Group(u32),
}

/// Returns who else may write to a path by its list, besides the owner and everyone: `None` if it has no list.
///
/// # Errors
///
/// The list cannot be read, or its form is not the one that the kernel documents.
pub(crate) fn writers(path: &Path) -> rustix::io::Result<Option<Vec<Writer>>> {
    let size = match lgetxattr_query(path, ACCESS) {
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(None),
        size => size?,
    };
    let mut list = vec![0; size];
    let read = lgetxattr(path, ACCESS, &mut list)?;
    parse(list.get(..read).unwrap_or_default()).map(Some).ok_or(Errno::INVAL)
}

/// Parses a list into the writers that its entries name, limited by its mask: `None` if the list has another form.
///
/// If the version or the length is unexpected, the whole list counts as unreadable. Otherwise a writer could be missed.
fn parse(list: &[u8]) -> Option<Vec<Writer>> {
    let (version, entries) = list.split_first_chunk()?;
    if u32::from_le_bytes(*version) != VERSION || entries.len() % ENTRY != 0 {
        return None;
    }
    let mut entries: Vec<_> = entries.chunks_exact(ENTRY).filter_map(entry).collect();
    let mask = entries.iter().find(|(tag, _, _)| *tag == 0x10).map_or(u16::MAX, |(_, may, _)| *may);
    entries.retain(|(_, may, _)| may & mask & WRITE != 0);
    let writer = |(tag, _, id): (u16, u16, u32)| match tag {
        0x02 => Some(Writer::User(id)),
        0x04 => Some(Writer::OwningGroup),
        0x08 => Some(Writer::Group(id)),
        _ => None,
    };
    Some(entries.into_iter().filter_map(writer).collect())
}

/// Parses an entry into its tag, permissions and ID.
fn entry(bytes: &[u8]) -> Option<(u16, u16, u32)> {
    let (tag, rest) = bytes.split_first_chunk()?;
    let (may, id) = rest.split_first_chunk()?;
    Some((u16::from_le_bytes(*tag), u16::from_le_bytes(*may), u32::from_le_bytes(*id.first_chunk()?)))
}

/// Removes the lists that a new directory has inherited. Then only its mode says who may use it, and new files in it
/// inherit no list.
pub(crate) fn clear(directory: &File) -> rustix::io::Result<()> {
    for list in [DEFAULT, ACCESS] {
        match fremovexattr(directory, list) {
            Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::NOSYS) => {}
            removed => removed?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[(u16, u16, u32)]) -> Vec<u8> {
        let mut bytes = VERSION.to_le_bytes().to_vec();
        for (tag, may, id) in entries {
            bytes.extend(tag.to_le_bytes().into_iter().chain(may.to_le_bytes()).chain(id.to_le_bytes()));
        }
        bytes
    }

    #[test]
    fn writers_are_those_whom_entry_and_mask_let_write() {
        let entries = [(1, 7, 0), (2, 7, 1000), (2, 5, 1001), (4, 7, 0), (8, 6, 50), (0x20, 7, 0)];
        let all = [Writer::User(1000), Writer::OwningGroup, Writer::Group(50)];
        assert_eq!(parse(&list(&entries)).unwrap(), all);
        assert_eq!(parse(&list(&[&entries[..], &[(0x10, 7, 0)]].concat())).unwrap(), all);
        assert_eq!(parse(&list(&[&entries[..], &[(0x10, 5, 0)]].concat())).unwrap(), []);
    }

    #[test]
    fn what_is_no_list_is_not_taken_for_an_empty_one() {
        assert_eq!(parse(b""), None);
        assert_eq!(parse(&[3, 0, 0, 0]), None);
        assert_eq!(parse(&[2, 0, 0, 0, 1]), None);
    }
}
