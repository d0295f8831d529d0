//! Turns a JSON value that is not a string into the bytes of a secret.

/// Returns the bytes of a JSON text without the white space between its tokens. Everything else stays: the order and
/// repetition of keys, the digits of numbers, the escapes of strings.
///
/// `field`, `[[import]]` and stores that are one JSON file turn numbers and nested values into files this way. If the
/// text is not valid JSON, the result is unspecified. The iterator allocates nothing. Collect it into a buffer that is
/// as large as the text, and is wiped when dropped.
///
/// ```
/// let bytes: Vec<u8> = secretdir_helpers::compact_json(r#"{ "a b": [1.0, "\" c"] }"#).collect();
/// assert_eq!(bytes, br#"{"a b":[1.0,"\" c"]}"#);
/// ```
pub fn compact_json(json: &str) -> impl Iterator<Item = u8> {
    let mut place = JsonState::Between;
    json.bytes().filter(move |byte| {
        let is_kept = !(place == JsonState::Between && matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        place = place.after(*byte);
        is_kept
    })
}

/// The position of a byte in a JSON text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum JsonState {
    Between,
    String,
    Escape,
}

impl JsonState {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Between, b'"') | (Self::Escape, _) => Self::String,
            (Self::String, b'"') => Self::Between,
            (Self::String, b'\\') => Self::Escape,
            (same, _) => same,
        }
    }
}
