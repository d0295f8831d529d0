//! The identities that can decrypt, from their file.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor, Identity, IdentityFile};
use secretdir_provider::{Secret, SourceError};
use zeroize::Zeroizing;

use crate::error;

/// Identities, of which `Debug` and errors show nothing.
pub(crate) struct Identities(Vec<Box<dyn Identity + Send + Sync>>);

impl Identities {
    /// Reads the file that `age-keygen` has written.
    pub(crate) fn read(path: &Path) -> Result<Self, SourceError> {
        let text = fs::read(path).map(Zeroizing::new).map_err(|error| error::of_identities(path, error))?;
        // Its errors name the line of a fault, and quote nothing of it.
        let file = IdentityFile::from_buffer(&text[..]).map_err(|error| error::of_identities(path, error))?;
        let identities = file.into_identities().map_err(|_| error::no_identity(path))?;
        if identities.is_empty() {
            return Err(error::no_identity(path));
        }
        Ok(Self(identities))
    }

    /// Decrypts a file, binary or with armor.
    pub(crate) fn decrypt(&self, ciphertext: &[u8]) -> Result<Secret, DecryptError> {
        let decryptor = Decryptor::new_buffered(ArmoredReader::new(ciphertext))?;
        let identities = self.0.iter().map(|identity| &**identity as &dyn Identity);
        // The plaintext is the shorter one, so the buffer never grows, and leaves no copy behind.
        let mut plaintext = Zeroizing::new(Vec::with_capacity(ciphertext.len()));
        decryptor.decrypt(identities)?.read_to_end(&mut plaintext)?;
        Ok(Secret::new(std::mem::take(&mut *plaintext)))
    }
}
