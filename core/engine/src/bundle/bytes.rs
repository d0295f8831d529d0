//! The storage of a file's bytes.

use std::sync::Arc;

use secretdir_provider::Secret;
use zeroize::Zeroizing;

/// The bytes of a file. A whole secret is shared, not copied, however many files it makes.
pub(super) enum Bytes {
    Whole(Arc<Secret>),
    Made(Zeroizing<Vec<u8>>),
    Default(String),
}

impl Bytes {
    pub(super) fn get(&self) -> &[u8] {
        match self {
            Self::Whole(secret) => secret.expose_secret(),
            Self::Made(bytes) => bytes,
            Self::Default(content) => content.as_bytes(),
        }
    }
}
