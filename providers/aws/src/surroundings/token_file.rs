//! A file with a token that credentials are had with. What the SDK says of one that it cannot read does not name it.

use std::fs::{File, metadata};
use std::io::Read as _;
use std::path::PathBuf;

/// A file, and what names it.
#[derive(Clone, Debug)]
pub(crate) struct TokenFile {
    by: String,
    path: PathBuf,
}

/// A file cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the token file {path} ({by}) cannot be read: {why}")]
pub(crate) struct UnreadableToken {
    by: String,
    path: String,
    why: String,
}

impl TokenFile {
    pub(super) fn new(by: String, path: &str) -> Self {
        Self { by, path: PathBuf::from(path) }
    }

    /// Says why it cannot be read now, if it cannot.
    pub(crate) fn trouble(&self) -> Option<UnreadableToken> {
        if let Some(trouble) = self.endless() {
            return Some(trouble);
        }
        // A byte is enough: a directory, and a file on a disk that fails, show themselves.
        let read = File::open(&self.path).and_then(|mut file| file.read(&mut [0]));
        Some(self.unreadable(read.err()?.to_string()))
    }

    /// Refuses what is there and is no file: reading a FIFO or a device may never end, and nobody could end it.
    pub(super) fn endless(&self) -> Option<UnreadableToken> {
        let found = metadata(&self.path).ok()?;
        (!found.is_file() && !found.is_dir()).then(|| self.unreadable("it is not a regular file".to_owned()))
    }

    fn unreadable(&self, why: String) -> UnreadableToken {
        UnreadableToken { by: self.by.clone(), path: self.path.display().to_string(), why }
    }
}
