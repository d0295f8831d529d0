//! A file with a token that credentials are had with. What the SDK says of one that it cannot read does not name it.

use std::fs::File;
use std::io;
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
        let read = File::open(&self.path).and_then(|mut file| io::copy(&mut file, &mut io::sink()));
        let why = read.err()?.to_string();
        Some(UnreadableToken { by: self.by.clone(), path: self.path.display().to_string(), why })
    }
}
