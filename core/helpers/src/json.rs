//! How a value that is not a string becomes the bytes of a secret.

/// Returns the bytes of a JSON text without the white space between its tokens; what is written otherwise stays: the order
/// and the repetition of keys, the digits of a number, the escapes of a string.
///
/// `field`, `[[import]]` and the stores that are one JSON file make files of numbers and nested values in this way. The text must be valid JSON; of another, which bytes
/// come is not specified. Nothing is allocated: a buffer as large as the text, wiped when dropped, holds them all.
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

/// Where in a JSON text a byte stands.
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
