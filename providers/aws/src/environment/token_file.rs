//! A file with a token for getting credentials. If the SDK cannot read it, its error does not name the file.

use std::fs::{File, metadata};
use std::io::Read as _;
use std::path::PathBuf;

/// A token file, and the setting that names it.
#[derive(Clone, Debug)]
pub(crate) struct TokenFile {
    by: String,
    path: PathBuf,
}

/// The error for a token file that cannot be read.
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

    /// Returns why the file cannot be read now, if so.
    pub(crate) fn trouble(&self) -> Option<UnreadableToken> {
        if let Some(trouble) = self.endless() {
            return Some(trouble);
        }
        // One byte is enough to detect a directory, or a file on a disk that fails.
        let read = File::open(&self.path).and_then(|mut file| file.read(&mut [0]));
        Some(self.unreadable(read.err()?.to_string()))
    }

    /// Refuses an existing file that is neither a regular file nor a directory. Reading a FIFO or a device may never
    /// end, and cannot be stopped.
    pub(super) fn endless(&self) -> Option<UnreadableToken> {
        let found = metadata(&self.path).ok()?;
        (!found.is_file() && !found.is_dir()).then(|| self.unreadable("it is not a regular file".to_owned()))
    }

    fn unreadable(&self, why: String) -> UnreadableToken {
        UnreadableToken { by: self.by.clone(), path: self.path.display().to_string(), why }
    }
}
