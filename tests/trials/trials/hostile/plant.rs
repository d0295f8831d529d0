//! What is put where something of ours belongs.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, lchown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{CWD, Mode, mkfifoat};

/// Something that is not ours, under a name that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plant {
    /// A link to a precious directory.
    Link,
    LinkToFile,
    LinkToRoot,
    File,
    Fifo,
    Socket,
    /// A second name of a precious file.
    HardLink,
    /// A directory with links to what is precious, under the names that we publish, and a file.
    Directory,
    /// A directory that is closed to others, as ours are when they are made, and in whose way no name of ours is.
    Bare,
}

impl Plant {
    pub(super) const ALL: [Self; 9] = [
        Self::Link,
        Self::LinkToFile,
        Self::LinkToRoot,
        Self::File,
        Self::Fifo,
        Self::Socket,
        Self::HardLink,
        Self::Directory,
        Self::Bare,
    ];

    /// Puts it there.
    pub(super) fn put(self, path: &Path, precious: &Path) -> io::Result<()> {
        match self {
            Self::Link => symlink(precious, path),
            Self::LinkToFile => symlink(precious.join("version"), path),
            Self::LinkToRoot => symlink("/", path),
            Self::File => make_file(path),
            Self::Fifo => Ok(mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR)?),
            Self::Socket => UnixListener::bind(path).map(drop),
            Self::HardLink => fs::hard_link(precious.join("version"), path),
            Self::Directory => make_directory(path, precious),
            Self::Bare => make_bare_directory(path),
        }
    }

    /// Puts it there as this user's.
    pub(super) fn put_as(self, path: &Path, precious: &Path, user: u32) {
        self.put(path, precious).unwrap();
        // A second name has the owner that the first one has.
        if self != Self::HardLink {
            lchown(path, Some(user), Some(user)).unwrap();
        }
    }
}

/// Makes a file where there is nothing. Were something there by now, such as a link to a FIFO, opening that might
/// never end.
fn make_file(path: &Path) -> io::Result<()> {
    File::create_new(path)?.write_all(b"planted")
}

fn make_directory(path: &Path, precious: &Path) -> io::Result<()> {
    fs::create_dir(path)?;
    symlink(precious.join("version"), path.join("version"))?;
    symlink(precious, path.join("d"))?;
    make_file(&path.join("his"))
}

fn make_bare_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    make_file(&path.join("his"))
}
