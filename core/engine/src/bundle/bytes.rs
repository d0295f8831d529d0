//! Where the bytes of a file are.

use std::sync::Arc;

use secretdir_provider::Secret;
use zeroize::Zeroizing;

/// Where bytes are. The secret itself is shared, not copied, however many files it makes.
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
