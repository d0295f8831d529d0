//! Resolves a name by hand: opens one component after the other, none through a link, and reads the links itself.
//!
//! Each component is opened in the directory before it, which is held by its descriptor, so a rename meanwhile cannot
//! lead elsewhere. `..` in a link goes back to the descriptor before, and from the root nowhere.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, openat, readlinkat};
use rustix::io::Errno;

use super::{DIRECTORY, FILE};

/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

/// Opens a file below the root.
pub(super) fn open(root: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    let mut walk = Walk { root, inside: Vec::new(), ahead: Vec::new(), links: 0 };
    walk.head_for(name.as_bytes())?;
    walk.run()
}

struct Walk<'a> {
    root: BorrowedFd<'a>,
    /// The directories from the root down to here.
    inside: Vec<OwnedFd>,
    /// The components still to go, the next one last.
    ahead: Vec<Vec<u8>>,
    links: usize,
}

impl Walk<'_> {
    fn run(mut self) -> Result<OwnedFd, Errno> {
        while let Some(component) = self.ahead.pop() {
            match component.as_slice() {
                b"" | b"." => {}
                b".." => drop(self.inside.pop().ok_or(Errno::XDEV)?),
                _ if self.ahead.is_empty() => {
                    if let Some(file) = self.step(&component, FILE)? {
                        return Ok(file);
                    }
                }
                _ => {
                    let directory = self.step(&component, DIRECTORY)?;
                    self.inside.extend(directory);
                }
            }
        }
        // The last component was none of its own, so the name is that of a directory.
        openat(self.here(), c".", FILE, Mode::empty())
    }

    fn here(&self) -> BorrowedFd<'_> {
        self.inside.last().map_or(self.root, AsFd::as_fd)
    }

    /// Opens a component. If it is a link, opens nothing, but heads for where it leads.
    fn step(&mut self, component: &[u8], flags: OFlags) -> Result<Option<OwnedFd>, Errno> {
        match openat(self.here(), component, flags | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(opened) => Ok(Some(opened)),
            // What a link gives depends on the system and on the flags.
            Err(refusal @ (Errno::LOOP | Errno::MLINK | Errno::NOTDIR)) => {
                let target = readlinkat(self.here(), component, Vec::new()).map_err(|errno| match errno {
                    Errno::INVAL => refusal,
                    other => other,
                })?;
                self.count_link()?;
                self.head_for(target.as_bytes())?;
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    fn count_link(&mut self) -> Result<(), Errno> {
        self.links += 1;
        if self.links > MOST_LINKS { Err(Errno::LOOP) } else { Ok(()) }
    }

    fn head_for(&mut self, path: &[u8]) -> Result<(), Errno> {
        if path.starts_with(b"/") {
            return Err(Errno::XDEV);
        }
        self.ahead.extend(path.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec));
        Ok(())
    }
}
