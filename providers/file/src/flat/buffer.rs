//! Buffers that grow without leaving a copy behind.

use zeroize::Zeroizing;

/// Appends to a buffer. Where it is too small, a larger one takes its place, and it is wiped.
pub(super) fn append(buffer: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
    let needed = buffer.len() + bytes.len();
    if needed > buffer.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * buffer.capacity())));
        larger.extend_from_slice(buffer);
        *buffer = larger;
    }
    buffer.extend_from_slice(bytes);
}

/// Appends one character.
pub(super) fn append_char(buffer: &mut Zeroizing<Vec<u8>>, character: char) {
    append(buffer, character.encode_utf8(&mut [0; 4]).as_bytes());
}
