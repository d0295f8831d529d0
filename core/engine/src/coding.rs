//! Bytes written as text, and back: base64, base64url, hexadecimal (RFC 4648). Strict, and nothing of a value is left behind.

use std::fmt;

use base64::engine::Engine;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use base64::{decoded_len_estimate, encoded_len};
use zeroize::Zeroizing;

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// A way to write bytes as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// With padding.
    Base64,
    /// Written without padding, as in a JSON Web Token; read without or with all of it.
    Base64Url,
    /// Lower-case digits; read in either case.
    Hex,
}

/// A text is not what this coding makes of any bytes. Says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value is not {0}")]
pub(crate) struct NotCoded(Coding);

impl Coding {
    /// Reads a coding as a configuration spells it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Base64, Self::Base64Url, Self::Hex].into_iter().find(|coding| coding.to_string() == text)
    }

    /// Returns the bytes that a text stands for. White space is no part of any coding.
    pub(crate) fn decode(self, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotCoded> {
        let bytes = match self {
            Self::Base64 => from_base64(&STANDARD, text),
            Self::Base64Url if text.contains(&b'=') => from_base64(&URL_SAFE, text),
            Self::Base64Url => from_base64(&URL_SAFE_NO_PAD, text),
            Self::Hex => from_hex(text),
        };
        bytes.ok_or(NotCoded(self))
    }

    /// Returns the text that stands for some bytes.
    pub(crate) fn encode(self, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
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

/// Decodes into one buffer that is large enough from the start.
fn from_base64(engine: &GeneralPurpose, text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; decoded_len_estimate(text.len())]);
    let length = engine.decode_slice(text, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

fn to_base64(engine: &GeneralPurpose, bytes: &[u8], padding: Padding) -> Zeroizing<Vec<u8>> {
    let length = encoded_len(bytes.len(), padding == Padding::Written).unwrap_or_default();
    let mut text = Zeroizing::new(vec![0; length]);
    // Cannot fail: the length is the one that it needs.
    let written = engine.encode_slice(bytes, &mut text).unwrap_or_default();
    text.truncate(written);
    text
}

fn from_hex(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (pairs, rest) = text.as_chunks::<2>();
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for pair in pairs {
        let [high, low] =
            pair.map(|digit| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()));
        bytes.push(high? << 4 | low?);
    }
    rest.is_empty().then_some(bytes)
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

    #[test]
    fn what_is_not_of_the_coding_is_refused_and_not_quoted() {
        for (coding, texts) in [
            (Coding::Base64, &["YQ", "YQ=", "YQ==\n", " YQ==", "-_9-YQ==", "YR==", "Y===", "a.b="][..]),
            (Coding::Base64Url, &["+/9+", "YQ=", "YQ\n", "YR"]),
            (Coding::Hex, &["0", "0g", "0x00", "00 11", "00\n"]),
        ] {
            for text in texts {
                let error = coding.decode(text.as_bytes()).unwrap_err();
                assert_eq!(error.to_string(), format!("the value is not {coding}"), "{text:?}");
            }
        }
        assert_eq!(Coding::Base64Url.decode(b"YQ==").unwrap().as_slice(), b"a");
        assert_eq!(Coding::Hex.decode(b"fF00").unwrap().as_slice(), [255, 0]);
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
        fn any_text_is_decoded_or_refused(text: Vec<u8>) {
            for coding in ALL {
                if let Ok(bytes) = coding.decode(&text) {
                    prop_assert!(bytes.len() < text.len().max(1));
                }
            }
        }
    }
}
