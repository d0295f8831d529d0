//! POSIX access control lists: who else may write to a directory, and keeping inherited entries off what we make.
//!
//! The layout of the extended attributes is that of the kernel's `posix_acl_xattr.h`, version 2: a version number, then
//! entries of a tag, permissions and an ID, all little-endian. Where the filesystem has no such lists, nobody is named.
//!
//! With a list, the group bits of the mode are its mask: the most that any entry but those of the owner and of everyone gives.
//! So a mode without group bits needs no look at the list, and one with them says too much of the owning group.

use std::fs::File;
use std::path::Path;

use rustix::fs::{fremovexattr, lgetxattr, lgetxattr_query};
use rustix::io::Errno;

/// The list that says who may use a file or directory. Only root and its owner can change it.
const ACCESS: &str = "system.posix_acl_access";

/// The list that new files and directories inherit.
const DEFAULT: &str = "system.posix_acl_default";

const VERSION: u32 = 2;
const ENTRY: usize = 8;
const WRITE: u16 = 2;

/// Somebody to whom a list gives write permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    /// A user by number.
    User(u32),
    /// The owning group: the mode's group bits are the list's mask, so only the list says what it may do.
    OwningGroup,
    /// Another group by number.
    Group(u32),
}

/// Returns whom the list of a path lets write, besides its owner and everyone: `None` if it has no list.
///
/// # Errors
///
/// The list cannot be read, or is of a form that the kernel does not document.
pub(crate) fn writers(path: &Path) -> rustix::io::Result<Option<Vec<Writer>>> {
    let size = match lgetxattr_query(path, ACCESS) {
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(None),
        size => size?,
    };
    let mut list = vec![0; size];
    let read = lgetxattr(path, ACCESS, &mut list)?;
    parse(list.get(..read).unwrap_or_default()).map(Some).ok_or(Errno::INVAL)
}

/// Reads a list: whom its entries let write, as far as its mask allows. `None` if it is of another form.
///
/// An entry that is not understood would be a writer who is not seen, so the whole list counts as unreadable then.
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

/// Reads an entry: its tag, its permissions and its ID.
fn entry(bytes: &[u8]) -> Option<(u16, u16, u32)> {
    let (tag, rest) = bytes.split_first_chunk()?;
    let (may, id) = rest.split_first_chunk()?;
    Some((u16::from_le_bytes(*tag), u16::from_le_bytes(*may), u32::from_le_bytes(*id.first_chunk()?)))
}

/// Takes away the lists that a new directory has inherited: its mode alone says who may use it, and whatever is made in
/// it inherits nothing.
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
