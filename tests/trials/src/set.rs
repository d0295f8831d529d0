//! Sets of files of which each can be told from every other, and from a mixture of two.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use atomicdir::{Attributes, FileMap, FileName, Mode, NameConflict, NameError, NewFile};

/// The file that says which set the others should be of.
const VERSION: &str = "version";

const FILE_MODE: u32 = 0o440;
const DIRECTORY_MODE: u32 = 0o750;

/// A set of files, by number: names and bytes of each set differ from those of every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Set(pub u32);

/// Why a name or a map of names was not taken. The sets here have none of these faults.
#[derive(Debug)]
pub struct BadSet(String);

impl From<NameError> for BadSet {
    fn from(error: NameError) -> Self {
        Self(error.to_string())
    }
}

impl From<NameConflict> for BadSet {
    fn from(error: NameConflict) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for BadSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadSet {}

impl Set {
    /// Returns the set's files: some in directories, one empty, one longer than a page, one that no other set has.
    pub fn files(self) -> BTreeMap<String, Vec<u8>> {
        let text = |name: &str, times| format!("{name} of set {}\n", self.0).repeat(times).into_bytes();
        BTreeMap::from([
            (VERSION.to_owned(), self.0.to_string().into_bytes()),
            ("d/b".to_owned(), text("b", 400)),
            ("d/e/empty".to_owned(), Vec::new()),
            (format!("only-{}", self.0), text("only", 1)),
        ])
    }

    /// Returns the mode and owner of the set's directories.
    pub fn directory() -> Attributes {
        attributes(DIRECTORY_MODE)
    }

    /// Returns the files with their attributes, as atomicdir takes them.
    pub fn wanted(files: &BTreeMap<String, Vec<u8>>) -> Result<FileMap<NewFile<'_>>, BadSet> {
        let mut wanted = FileMap::new();
        for (name, bytes) in files {
            wanted.insert(FileName::new(name.as_str())?, NewFile::new(bytes, attributes(FILE_MODE)))?;
        }
        Ok(wanted)
    }
}

fn attributes(mode: u32) -> Attributes {
    Attributes::with_mode(Mode::new(mode).unwrap_or(Mode::OWNER_ONLY))
}

/// What stands at a link is neither nothing nor exactly one set.
#[derive(Debug)]
pub enum Torn {
    /// It could not be read.
    Unreadable(PathBuf, io::Error),
    /// It is read, and is not what it should be.
    Differs {
        /// What should be there, by its own account.
        expected: Option<Set>,
        /// Every name with its mode and length.
        found: BTreeMap<String, (u32, usize)>,
    },
}

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Torn {}

/// Returns the set that a link shows, `None` where there is no link.
///
/// # Errors
///
/// Anything but all the files of one set, with their modes, and nothing else.
pub fn shown(link: &Path) -> Result<Option<Set>, Torn> {
    let target = match fs::read_link(link) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|error| Torn::Unreadable(link.to_owned(), error))?,
    };
    let generation = link.with_file_name(target);
    let mut found = BTreeMap::new();
    collect(&generation, "", &mut found)?;
    let expected = found.get(VERSION).and_then(|(_, bytes)| std::str::from_utf8(bytes).ok()?.parse().ok());
    let expected = expected.map(Set);
    if expected.is_some_and(|set| found == set.on_disk()) {
        return Ok(expected);
    }
    let found = found.into_iter().map(|(name, (mode, bytes))| (name, (mode, bytes.len()))).collect();
    Err(Torn::Differs { expected, found })
}

/// Every name below a directory with its mode and, for files, its bytes. The directory itself is `.`.
type Found = BTreeMap<String, (u32, Vec<u8>)>;

impl Set {
    fn on_disk(self) -> Found {
        let files = self.files().into_iter().map(|(name, bytes)| (name, (FILE_MODE, bytes)));
        let directories = [".", "d", "d/e"].map(|name| (name.to_owned(), (DIRECTORY_MODE, Vec::new())));
        files.chain(directories).collect()
    }
}

fn collect(directory: &Path, prefix: &str, found: &mut Found) -> Result<(), Torn> {
    let unreadable = |error| Torn::Unreadable(directory.to_owned(), error);
    let mode = fs::symlink_metadata(directory).map_err(unreadable)?.permissions().mode() & 0o7777;
    let name = if prefix.is_empty() { "." } else { prefix.trim_end_matches('/') };
    found.insert(name.to_owned(), (mode, Vec::new()));
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().map_err(unreadable)?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), found)?;
        } else {
            let mode = entry.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
            found.insert(name, (mode, fs::read(entry.path()).map_err(unreadable)?));
        }
    }
    Ok(())
}
