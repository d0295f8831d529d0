//! Resolves a name without the kernel's help. It opens one component after the other, never through a link, and reads
//! the links itself.
//!
//! Each component is opened in the directory before it, which is held by its descriptor. So a rename meanwhile cannot
//! lead elsewhere. `..` in a link goes back to the descriptor before. At the root it is refused.
//!
//! The walk remembers the origin of each component: the requested name, or a link on the way. So it can distinguish a
//! missing name from a link whose target is missing.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, openat, readlinkat};
use rustix::io::Errno;

use super::{DIRECTORY, FILE, Refusal};

/// The most links that are followed, as in Linux.
const MOST_LINKS: usize = 40;

/// Opens a file below the root.
pub(super) fn open(root: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Refusal> {
    let mut walk = Walk { root, inside: Vec::new(), ahead: Vec::new(), links: 0 };
    walk.head_for(name.as_bytes(), Origin::Name)?;
    walk.run()
}

struct Walk<'a> {
    root: BorrowedFd<'a>,
    /// The directories from the root down to the current one.
    inside: Vec<OwnedFd>,
    /// The remaining components, the next one last.
    ahead: Vec<Component>,
    links: usize,
}

struct Component {
    text: Vec<u8>,
    origin: Origin,
}

/// The origin of a component.
#[derive(Clone, Copy)]
enum Origin {
    /// The requested name.
    Name,
    /// A symbolic link on the way.
    Link,
}

impl Origin {
    /// Returns the error for a missing component of this origin.
    fn missing(self) -> Refusal {
        match self {
            Self::Name => Refusal::Absent,
            Self::Link => Refusal::LeadsNowhere,
        }
    }
}

impl Walk<'_> {
    fn run(mut self) -> Result<OwnedFd, Refusal> {
        while let Some(component) = self.ahead.pop() {
            match component.text.as_slice() {
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
        // The last component was empty, `.` or `..`, so the path names a directory.
        openat(self.here(), c".", FILE, Mode::empty()).map_err(|errno| match errno {
            // The walk had opened it, so it has just been removed.
            Errno::NOENT => Refusal::LeadsNowhere,
            other => other.into(),
        })
    }

    fn here(&self) -> BorrowedFd<'_> {
        self.inside.last().map_or(self.root, AsFd::as_fd)
    }

    /// Opens a component. If it is a link, opens nothing, and continues with the link's target.
    fn step(&mut self, component: &Component, flags: OFlags) -> Result<Option<OwnedFd>, Refusal> {
        match openat(self.here(), component.text.as_slice(), flags | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(opened) => Ok(Some(opened)),
            // The error number for a link depends on the system and on the flags.
            Err(refusal @ (Errno::LOOP | Errno::MLINK | Errno::NOTDIR)) => {
                let target = readlinkat(self.here(), component.text.as_slice(), Vec::new());
                let target = target.map_err(|errno| match errno {
                    Errno::INVAL => self.failed(component, refusal),
                    other => self.failed(component, other),
                })?;
                self.count_link()?;
                self.head_for(target.as_bytes(), Origin::Link)?;
                Ok(None)
            }
            Err(other) => Err(self.failed(component, other)),
        }
    }

    /// Returns the error for a component that cannot be opened.
    fn failed(&self, component: &Component, errno: Errno) -> Refusal {
        match errno {
            Errno::NOENT => component.origin.missing(),
            // This component exists as a file, so the next one cannot exist.
            Errno::NOTDIR => self.ahead.last().map_or(component.origin, |next| next.origin).missing(),
            other => other.into(),
        }
    }

    fn count_link(&mut self) -> Result<(), Errno> {
        self.links += 1;
        if self.links > MOST_LINKS { Err(Errno::LOOP) } else { Ok(()) }
    }

    fn head_for(&mut self, path: &[u8], origin: Origin) -> Result<(), Errno> {
        if path.starts_with(b"/") {
            return Err(Errno::XDEV);
        }
        let components = path.split(|byte| *byte == b'/').rev();
        self.ahead.extend(components.map(|text| Component { text: text.to_vec(), origin }));
        Ok(())
    }
}
