//! Encodes bytes as text and decodes them: base64, base64url and hexadecimal (RFC 4648). Decoding is strict. Buffers
//! that hold a value are wiped when they are dropped.
//!
//! Programs such as `base64` and `openssl` break their output into lines. Such a text is decoded only if its lines are
//! regular:
//!
//! - Every line has the same line end. The last line may have none.
//! - All lines but the last have the same length, and the last is not longer.
//!
//! Any other text may be two values, or a damaged one.

use std::fmt;

use base64::engine::Engine;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use base64::{DecodeError, DecodeSliceError, decoded_len_estimate, encoded_len};
use zeroize::Zeroizing;

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// An encoding of bytes as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Base64 with padding.
    Base64,
    /// Base64url. Encoded without padding, as in a JSON Web Token. Decoded with complete padding or none.
    Base64Url,
    /// Hexadecimal. Encoded with lower-case digits; decoded in either case.
    Hex,
}

/// The error for a text that is not valid in a coding. It gives the position, and no part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value is not {coding}: error at line {line}, column {column}")]
pub struct NotCoded {
    coding: Coding,
    line: usize,
    /// Counted in bytes.
    column: usize,
}

impl Coding {
    /// Parses the name of a coding in a configuration.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Base64, Self::Base64Url, Self::Hex].into_iter().find(|coding| coding.to_string() == text)
    }

    /// Decodes a text, which may be broken into lines. Other white space is an error.
    pub fn decode(self, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotCoded> {
        let not_coded = |(line, column)| NotCoded { coding: self, line, column };
        let strange = || self.strange(text).unwrap_or((usize::MAX, 0));
        let lines = Lines::of(text).map_err(|position| not_coded(position.min(strange())))?;
        let text = lines.joined();
        let decoded = match text.iter().position(|byte| !self.has(*byte)) {
            Some(offset) => Err(offset),
            None => self.decode_line(&text),
        };
        decoded.map_err(|offset| not_coded(lines.position(offset)))
    }

    /// Returns the line and column of the first byte that neither occurs in this coding nor ends a line.
    fn strange(self, text: &[u8]) -> Option<(usize, usize)> {
        let is_strange = |byte: &u8| !self.has(*byte) && !matches!(byte, b'\r' | b'\n');
        (1..).zip(text.split(|byte| *byte == b'\n')).find_map(|(number, line)| {
            let column = line.iter().position(is_strange)? + 1;
            Some((number, column))
        })
    }

    /// Says whether a byte can occur in this coding.
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Base64 => byte.is_ascii_alphanumeric() || b"+/=".contains(&byte),
            Self::Base64Url => byte.is_ascii_alphanumeric() || b"-_=".contains(&byte),
            Self::Hex => byte.is_ascii_hexdigit(),
        }
    }

    /// Decodes one line. The error is the offset of the problem.
    fn decode_line(self, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, usize> {
        match self {
            Self::Base64 => from_base64(&STANDARD, text),
            Self::Base64Url if text.contains(&b'=') => from_base64(&URL_SAFE, text),
            Self::Base64Url => from_base64(&URL_SAFE_NO_PAD, text),
            Self::Hex => from_hex(text),
        }
    }

    /// Encodes bytes.
    pub fn encode(self, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Base64 => to_base64(&STANDARD, bytes, Padding::Written),
            Self::Base64Url => to_base64(&URL_SAFE_NO_PAD, bytes, Padding::LeftOut),
            Self::Hex => {
                let digits = |byte: &u8| [byte >> 4, byte & 15].map(usize::from);
                let digits = bytes.iter().flat_map(digits);
                let mut text = Zeroizing::new(Vec::with_capacity(2 * bytes.len()));
                text.extend(digits.filter_map(|digit| HEX_DIGITS.get(digit)));
                text
            }
        }
    }
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
            Self::Hex => "hex",
        })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Padding {
    Written,
    LeftOut,
}

/// The lines of a text.
struct Lines<'t> {
    lines: Vec<&'t [u8]>,
    /// The length of every line but the last, in bytes.
    width: usize,
}

impl<'t> Lines<'t> {
    /// Splits a text into lines. The error is the line and column of a line end that no program would write there.
    fn of(text: &'t [u8]) -> Result<Self, (usize, usize)> {
        let mut lines: Vec<_> = text.split(|byte| *byte == b'\n').collect();
        let unended = lines.pop().filter(|rest| !rest.is_empty() || lines.is_empty());
        if lines.first().is_some_and(|first| first.ends_with(b"\r")) {
            for (number, line) in (1..).zip(&mut lines) {
                *line = line.strip_suffix(b"\r").ok_or((number, line.len() + 1))?;
            }
        }
        lines.extend(unended);
        let width = lines.first().map_or(0, |first| first.len());
        for (number, line) in (1..).zip(&lines) {
            let is_last = number == lines.len();
            if line.len() > width || (line.len() < width && !is_last) || (line.is_empty() && !text.is_empty())
            {
                return Err((number, width.min(line.len()) + 1));
            }
        }
        Ok(Self { lines, width: width.max(1) })
    }

    /// Returns the text without its line ends.
    fn joined(&self) -> Zeroizing<Vec<u8>> {
        let mut joined = Zeroizing::new(Vec::with_capacity(self.width * self.lines.len()));
        self.lines.iter().for_each(|line| joined.extend_from_slice(line));
        joined
    }

    /// Returns the line and column of an offset into the text without its line ends. The end of the text is the column
    /// after its last byte.
    fn position(&self, offset: usize) -> (usize, usize) {
        let is_end = offset > 0 && offset == self.lines.iter().map(|line| line.len()).sum::<usize>();
        let byte = offset - usize::from(is_end);
        (1 + byte / self.width, 1 + byte % self.width + usize::from(is_end))
    }
}

/// Decodes into one buffer that is large enough from the start. The error is the offset of the problem.
fn from_base64(engine: &GeneralPurpose, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, usize> {
    let mut bytes = Zeroizing::new(vec![0; decoded_len_estimate(text.len())]);
    let length = engine.decode_slice(text, &mut bytes).map_err(|error| match error {
        DecodeSliceError::DecodeError(
            DecodeError::InvalidByte(offset, _) | DecodeError::InvalidLastSymbol { offset, .. },
        ) => offset,
        _ => text.len(),
    })?;
    bytes.truncate(length);
    Ok(bytes)
}

fn to_base64(engine: &GeneralPurpose, bytes: &[u8], padding: Padding) -> Zeroizing<Vec<u8>> {
    let length = encoded_len(bytes.len(), padding == Padding::Written).unwrap_or_default();
    let mut text = Zeroizing::new(vec![0; length]);
    // Cannot fail: the buffer has exactly the length that is needed.
    let written = engine.encode_slice(bytes, &mut text).unwrap_or_default();
    text.truncate(written);
    text
}

fn from_hex(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, usize> {
    let pairs = text.chunks_exact(2);
    let is_even = pairs.remainder().is_empty();
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for (pair, offset) in pairs.zip((0_usize..).step_by(2)) {
        let mut digits = pair.iter().map(|digit| char::from(*digit).to_digit(16));
        let mut digit = || digits.next().flatten().and_then(|digit| u8::try_from(digit).ok());
        bytes.push(digit().ok_or(offset)? << 4 | digit().ok_or(offset + 1)?);
    }
    if is_even { Ok(bytes) } else { Err(text.len()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Coding; 3] = [Coding::Base64, Coding::Base64Url, Coding::Hex];

    #[test]
    fn each_is_written_as_in_the_rfc() {
        let written = |coding: Coding| String::from_utf8(coding.encode(b"\xfb\xff~a").to_vec()).unwrap();
        assert_eq!(ALL.map(written), ["+/9+YQ==", "-_9-YQ", "fbff7e61"]);
    }

    fn position(coding: Coding, text: &str) -> (usize, usize) {
        let error = coding.decode(text.as_bytes()).unwrap_err();
        let (line, column) = (error.line, error.column);
        let expected = format!("the value is not {coding}: error at line {line}, column {column}");
        assert_eq!(error.to_string(), expected);
        (line, column)
    }

    #[test]
    fn what_is_not_of_the_coding_is_refused_with_its_position_and_not_quoted() {
        for (coding, texts) in [
            (
                Coding::Base64,
                &[
                    ("YQ", (1, 3)),
                    ("YQ=", (1, 4)),
                    (" YQ==", (1, 1)),
                    ("-_9-YQ==", (1, 1)),
                    ("YR==", (1, 2)),
                    ("Y===", (1, 2)),
                    ("a.b=", (1, 2)),
                    ("YWFh\nYWF!\nYQ==", (2, 4)),
                ][..],
            ),
            (Coding::Base64Url, &[("+/9+", (1, 1)), ("YQ=", (1, 4)), ("YR", (1, 2)), ("YW\nFh\nY/", (3, 2))]),
            (
                Coding::Hex,
                &[("0", (1, 2)), ("0g", (1, 2)), ("0x00", (1, 2)), ("00 11", (1, 3)), ("00\n1g", (2, 2))],
            ),
        ] {
            for (text, expected) in texts {
                assert_eq!(position(coding, text), *expected, "{text:?}");
            }
        }
        assert_eq!(Coding::Base64Url.decode(b"YQ==").unwrap().as_slice(), b"a");
        assert_eq!(Coding::Hex.decode(b"fF00").unwrap().as_slice(), [255, 0]);
    }

    #[test]
    fn lines_are_read_if_they_are_as_a_program_makes_them() {
        for (text, bytes) in [
            ("YWFh\nYWFh\nYQ==\n", &b"aaaaaaa"[..]),
            ("YWFh\r\nYWFh\r\nYQ==", b"aaaaaaa"),
            ("YWFh\r\nYWFh\r\n", b"aaaaaa"),
            ("YWFhY\nWFhYQ\n==\n", b"aaaaaaa"),
            ("YWFhYWF\nhYQ==", b"aaaaaaa"),
            ("YQ==\n", b"a"),
            ("YQ==\r\n", b"a"),
            ("", b""),
        ] {
            assert_eq!(Coding::Base64.decode(text.as_bytes()).unwrap().as_slice(), bytes, "{text:?}");
        }
        for (text, expected) in [
            ("Q!JD\nREVG\nR\nG\n", (1, 2)),
            ("-----BEGIN KEY-----\nYWFh\nYWFhYWFh\n", (1, 1)),
            ("YWFh\nYQ==\n\n", (3, 1)),
            ("\nYWFh", (1, 1)),
            ("\n", (1, 1)),
            ("YWFh\n\nYWFh", (2, 1)),
            ("YWFh\nYW\nFh", (2, 3)),
            ("YW\nFhYWFh", (2, 3)),
            ("YWFh\nYWFhYWFh", (2, 5)),
            ("YWFh\r\nYWFh\nYQ==", (2, 5)),
            ("YWFh\nYWFh\r\nYQ==", (2, 5)),
            ("YWFh\rYQ==", (1, 5)),
            ("YQ==\r", (1, 5)),
            ("YWFh\n YQ=", (2, 1)),
            ("YWFh\nYQ==\r\n", (2, 5)),
        ] {
            assert_eq!(position(Coding::Base64, text), expected, "{text:?}");
        }
        assert_eq!(Coding::Hex.decode(b"00\nff\n").unwrap().as_slice(), [0, 255]);
        assert_eq!(Coding::Base64Url.decode(b"-_\n9-\nYQ\n").unwrap().as_slice(), b"\xfb\xff~a");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_unchanged(bytes: Vec<u8>) {
            for coding in ALL {
                let decoded = coding.decode(&coding.encode(&bytes)).unwrap();
                prop_assert_eq!(decoded.as_slice(), bytes.as_slice());
            }
        }

        #[test]
        fn what_is_broken_into_lines_is_read_as_what_is_not(bytes: Vec<u8>, width in 1_usize..80, crlf: bool, last: bool) {
            let end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
            for coding in ALL {
                let mut wrapped = coding.encode(&bytes).chunks(width).collect::<Vec<_>>().join(end);
                if last && !wrapped.is_empty() {
                    wrapped.extend(end);
                }
                let decoded = coding.decode(&wrapped).unwrap();
                prop_assert_eq!(decoded.as_slice(), bytes.as_slice());
            }
        }

        #[test]
        fn any_text_is_decoded_or_refused(text: Vec<u8>) {
            for coding in ALL {
                if let Ok(bytes) = coding.decode(&text) {
                    prop_assert!(bytes.len() < text.len().max(1));
                }
            }
        }
    }
}
