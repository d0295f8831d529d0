//! Decodes a text as hex, Base64, a URL or JSON.
//!
//! A program may write a value in another form than that of its answer. A value has too many forms to search for each:
//! a byte has two in hex, and several in JSON. So the text is decoded in every form that it may have, and the result is
//! searched for the value.

use std::ops::Range;

use zeroize::Zeroizing;

/// A text that was decoded in one form: the bytes, and the position of each in the text.
pub(crate) struct Decoded {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    places: Vec<Range<usize>>,
}

impl Decoded {
    /// Decodes a text as it is, as JSON, and as a URL, in which `+` may be a blank. A result that equals the text is
    /// left out.
    pub(crate) fn close(text: &[u8]) -> impl Iterator<Item = Self> {
        let plain = raw(text);
        let mut others = vec![json(text), url(text, b'+'), url(text, b' ')];
        others.retain(|other| other.bytes != plain.bytes);
        std::iter::once(plain).chain(others)
    }

    /// Decodes a text as hex and as Base64. A value may begin at any digit of a group, which has two or four digits, so
    /// each is tried as the first.
    pub(crate) fn coded(text: &[u8]) -> impl Iterator<Item = Self> + '_ {
        let hex =
            (0..2).map(|skipped| digits(text, 4, hex_digit, |byte| b" \r\n:-".contains(&byte), skipped));
        let base64 =
            (0..4).map(|skipped| digits(text, 6, base64_digit, |byte| b"\r\n".contains(&byte), skipped));
        hex.chain(base64)
    }

    /// Allocates a buffer that never grows, because growing would leave a copy behind. No form is shorter than its content.
    fn with_room_for(text: &[u8]) -> Self {
        Self { bytes: Vec::with_capacity(text.len()).into(), places: Vec::with_capacity(text.len()) }
    }

    /// Returns the position of some of the bytes in the text.
    pub(crate) fn place(&self, bytes: Range<usize>) -> Range<usize> {
        let part = self.places.get(bytes).unwrap_or_default();
        match (part.first(), part.last()) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => 0..0,
        }
    }

    /// Counts padding as a part of the byte before it.
    fn pad(&mut self, byte: u8, at: usize) {
        if let Some(last) = self.places.last_mut().filter(|last| byte == b'=' && last.end == at) {
            last.end += 1;
        }
    }

    fn push(&mut self, byte: u8, place: Range<usize>) {
        self.bytes.push(byte);
        self.places.push(place);
    }
}

fn raw(text: &[u8]) -> Decoded {
    let mut decoded = Decoded::with_room_for(text);
    text.iter().enumerate().for_each(|(at, byte)| decoded.push(*byte, at..at + 1));
    decoded
}

fn url(text: &[u8], plus: u8) -> Decoded {
    let mut decoded = Decoded::with_room_for(text);
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let (byte, length) = match byte {
            b'%' => hex(text, at + 1, 2).map_or((b'%', 1), |number| (number.to_le_bytes()[0], 3)),
            b'+' => (plus, 1),
            other => (*other, 1),
        };
        decoded.push(byte, at..at + length);
        at += length;
    }
    decoded
}

/// Decodes escapes with a backslash, as in JSON and similar languages.
fn json(text: &[u8]) -> Decoded {
    let mut decoded = Decoded::with_room_for(text);
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let escaped = if *byte == b'\\' { escape(text, at + 1) } else { None };
        match escaped {
            Some((Escaped::Byte(byte), length)) => {
                decoded.push(byte, at..at + 1 + length);
                at += 1 + length;
            }
            Some((Escaped::Character(character), length)) => {
                let mut buffer = [0; 4];
                for byte in character.encode_utf8(&mut buffer).bytes() {
                    decoded.push(byte, at..at + 1 + length);
                }
                at += 1 + length;
            }
            None => {
                decoded.push(*byte, at..at + 1);
                at += 1;
            }
        }
    }
    decoded
}

enum Escaped {
    Byte(u8),
    Character(char),
}

/// Decodes an escape, from the character after its backslash. Also returns its length.
fn escape(text: &[u8], at: usize) -> Option<(Escaped, usize)> {
    let byte = match text.get(at)? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        b'0' => 0,
        b'x' => return hex(text, at + 1, 2).map(|number| (Escaped::Byte(number.to_le_bytes()[0]), 3)),
        b'u' => {
            return unicode(text, at + 1)
                .map(|(character, length)| (Escaped::Character(character), 1 + length));
        }
        other if other.is_ascii_punctuation() => *other,
        _ => return None,
    };
    Some((Escaped::Byte(byte), 1))
}

/// Decodes the number of a character: four digits, twice four for a surrogate pair, or up to six digits in braces.
fn unicode(text: &[u8], at: usize) -> Option<(char, usize)> {
    if text.get(at) == Some(&b'{') {
        let length = text.get(at + 1..)?.iter().take(7).position(|byte| *byte == b'}')?;
        return Some((char::from_u32(hex(text, at + 1, length)?)?, length + 2));
    }
    let first = hex(text, at, 4)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 4));
    }
    let second =
        text.get(at + 4..at + 6).filter(|start| start == b"\\u").and_then(|_| hex(text, at + 6, 4))?;
    let pair = [first, second].map(|unit| u16::try_from(unit).unwrap_or_default());
    Some((char::decode_utf16(pair).next()?.ok()?, 10))
}

/// Parses a hex number of this many digits.
fn hex(text: &[u8], at: usize, length: usize) -> Option<u32> {
    let digits = text.get(at..at + length).filter(|digits| !digits.is_empty())?;
    digits.iter().try_fold(0, |number, digit| Some(number << 4 | u32::from(hex_digit(*digit)?)))
}

/// Decodes runs of digits with this many bits each, without the first digits of a run. A run may be broken into lines.
fn digits(
    text: &[u8],
    bits: usize,
    digit: impl Fn(u8) -> Option<u8>,
    may_break: impl Fn(u8) -> bool,
    skipped: usize,
) -> Decoded {
    let mut decoded = Decoded::with_room_for(text);
    let mut run = Run { skipped, ..Run::default() };
    for (at, byte) in text.iter().enumerate() {
        match digit(*byte) {
            Some(value) => run.read(value, bits, at, &mut decoded),
            None if may_break(*byte) => {}
            None => {
                run = Run { skipped, ..Run::default() };
                decoded.pad(*byte, at);
            }
        }
    }
    decoded
}

/// The state of a run of digits.
#[derive(Default)]
struct Run {
    /// How many digits are still to be skipped.
    skipped: usize,
    number: u32,
    /// How many bits of the number belong to no byte yet.
    count: usize,
    /// The position of the first digit of that byte.
    start: Option<usize>,
}

impl Run {
    fn read(&mut self, value: u8, bits: usize, at: usize, decoded: &mut Decoded) {
        if let Some(skipped) = self.skipped.checked_sub(1) {
            self.skipped = skipped;
            return;
        }
        // A byte may begin with the last bits, at most four, of the digit before.
        let begins = *self.start.get_or_insert(at);
        self.number = self.number << bits | u32::from(value);
        self.count += bits;
        if self.count >= 8 {
            self.count -= 8;
            decoded.push((self.number >> self.count).to_le_bytes()[0], begins..at + 1);
            self.start = (self.count > 0).then_some(at);
        }
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| digit.try_into().ok())
}

/// Decodes a digit of Base64, in the usual alphabet or in that for URLs.
fn base64_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(decoded: &Decoded) -> String {
        String::from_utf8_lossy(&decoded.bytes).into_owned()
    }

    #[test]
    fn escapes_are_read_and_what_is_none_stays() {
        for (written, said) in [
            (r#"\\ \" \/ \n\r\t\b\f"#, "\\ \" / \n\r\t\u{8}\u{c}"),
            (r"\u0041\u00e9\u00E9\ud83d\ude00 \x41 \u{1F600}\u{41}", "Aéé😀 A 😀A"),
            (r"\ \u12 \ud83d \u{} \u{1234567} \xg \q", r"\ \u12 \ud83d \u{} \u{1234567} \xg \q"),
            (r"\ud83d\u0041", r"\ud83dA"),
            (r"\", r"\"),
        ] {
            assert_eq!(text(&json(written.as_bytes())), said);
        }
    }

    #[test]
    fn a_url_is_read_in_both_cases() {
        assert_eq!(text(&url(b"%2F%2f%c3%A9+%20%%4", b' ')), "//é  %%4");
        assert_eq!(text(&url(b"+", b'+')), "+");
    }

    #[test]
    fn digits_are_read_from_each_place_of_a_group() {
        for written in [
            "c2VjcmV0",
            "Ac2VjcmV0",
            "ABc2VjcmV0",
            "ABCc2VjcmV0A",
            "..c2Vj\r\ncmV0==",
            "736563726574",
            "f736563726574",
            "73:65:63:72 65-74",
        ] {
            let found = Decoded::coded(written.as_bytes()).filter(|read| text(read).contains("secret"));
            assert_eq!(found.count(), 1, "{written}");
        }
        for written in [b"Pz8_Pz8-", b"Pz8/Pz8+"] {
            assert!(Decoded::coded(written).any(|read| text(&read) == "?????>"));
        }
    }

    #[test]
    fn each_byte_knows_its_place() {
        let written = br"x %41 \u0042 Zm9vYmFy";
        for (decoded, part, place) in [
            (url(written, b' '), "A", "%41"),
            (json(written), "B", r"\u0042"),
            (digits(written, 6, base64_digit, |_| false, 0), "foobar", "Zm9vYmFy"),
            (digits(written, 6, base64_digit, |_| false, 0), "oba", "9vYmF"),
        ] {
            let said = decoded.bytes.windows(part.len()).position(|said| said == part.as_bytes());
            let start = said.unwrap();
            assert_eq!(&written[decoded.place(start..start + part.len())], place.as_bytes());
        }
    }
}
