//! A buffer for secret bytes.

use std::fmt;
use std::io;

use zeroize::{Zeroize as _, Zeroizing};

/// A growing buffer for the bytes of a secret. It wipes them when it is dropped and when it grows. A `Vec` that grows, in
/// contrast, leaves a copy in freed memory.
///
/// A [`Secret`](crate::Secret) takes the bytes over without a copy. `Debug` shows only the length.
///
/// ```
/// use secretdir_provider::{Secret, SecretBuffer};
///
/// let mut buffer = SecretBuffer::new();
/// buffer.extend_from_slice(b"hunter");
/// buffer.push(b'2');
/// assert_eq!(buffer.expose_secret(), b"hunter2");
/// assert_eq!(Secret::new(buffer).expose_secret(), b"hunter2");
/// ```
#[derive(Clone, Default)]
pub struct SecretBuffer(Zeroizing<Vec<u8>>);

impl SecretBuffer {
    /// Makes an empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty buffer with room for this many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(bytes)))
    }

    /// Returns the bytes.
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }

    /// Returns how many bytes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds bytes at the end.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// Adds one byte at the end.
    pub fn push(&mut self, byte: u8) {
        self.extend_from_slice(&[byte]);
    }

    /// Adds a character at the end, as UTF-8.
    pub fn push_char(&mut self, character: char) {
        self.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// Removes and returns the last byte.
    pub fn pop(&mut self) -> Option<u8> {
        self.0.pop()
    }

    /// Keeps this many bytes, and wipes the others.
    pub fn truncate(&mut self, len: usize) {
        if let Some(rest) = self.0.get_mut(len..) {
            rest.zeroize();
            self.0.truncate(len);
        }
    }

    /// Makes room for this many more bytes, and returns the bytes, so that a reader can append. A reader that appends more than
    /// that may leave a copy in freed memory.
    pub fn reserved(&mut self, more: usize) -> &mut Vec<u8> {
        self.reserve(more);
        &mut self.0
    }

    /// Makes room for this many more bytes.
    pub fn reserve(&mut self, more: usize) {
        let needed = self.0.len().saturating_add(more);
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * self.0.capacity())));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
    }
}

impl From<SecretBuffer> for Vec<u8> {
    /// Takes the bytes out without a copy. You must wipe them yourself.
    fn from(mut buffer: SecretBuffer) -> Self {
        std::mem::take(&mut *buffer.0)
    }
}

impl From<&[u8]> for SecretBuffer {
    fn from(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }
}

impl From<Vec<u8>> for SecretBuffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl Extend<u8> for SecretBuffer {
    fn extend<I: IntoIterator<Item = u8>>(&mut self, bytes: I) {
        let bytes = bytes.into_iter();
        self.reserve(bytes.size_hint().0);
        bytes.for_each(|byte| self.push(byte));
    }
}

impl io::Write for SecretBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for SecretBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBuffer({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_is_added_is_there_in_its_order() {
        let mut buffer = SecretBuffer::with_capacity(2);
        buffer.extend_from_slice(b"abc");
        buffer.push_char('d');
        buffer.extend(*b"ef");
        buffer.write_all(b"gh").unwrap();
        assert_eq!((buffer.expose_secret(), buffer.len()), (&b"abcdefgh"[..], 8));
        assert_eq!(buffer.pop(), Some(b'h'));
        buffer.truncate(3);
        buffer.truncate(9);
        assert_eq!(Vec::from(buffer), b"abc");
    }

    #[test]
    fn debug_shows_no_byte() {
        assert_eq!(format!("{:?}", SecretBuffer::from(&b"hunter2"[..])), "SecretBuffer(7 bytes)");
    }
}
