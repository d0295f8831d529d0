//! The transforms of a value before it becomes a file. They run in this order:
//!
//! 1. `join` joins the texts of an array.
//! 2. `trim` removes one newline.
//! 3. `decode` decodes a text.
//! 4. `pem` extracts PEM blocks.
//! 5. `encode` encodes bytes.
//!
//! A transform runs only if the configuration has it, and none of them guesses.

use zeroize::Zeroizing;

use crate::field::{JoinError, join};
use crate::pem::{Part, PemError};
use secretdir_helpers::coding::{Coding, NotCoded};

/// The transforms of one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Transform {
    /// The separator for the texts of an array.
    pub(crate) join: Option<String>,
    pub(crate) trim: Option<Trim>,
    pub(crate) decode: Option<Coding>,
    pub(crate) pem: Option<Part>,
    pub(crate) encode: Option<Coding>,
}

/// The reason why a transform failed. It contains no part of the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransformError {
    /// The value is not what `join` expects.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The value is not what `decode` expects.
    #[error(transparent)]
    NotCoded(#[from] NotCoded),
    /// The value is not what `pem` expects.
    #[error(transparent)]
    Pem(#[from] PemError),
}

impl TransformError {
    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Join(error) => error.hint(),
            Self::NotCoded(_) => None,
            Self::Pem(error) => error.hint(),
        }
    }
}

/// The text to remove at the end of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trim {
    /// One newline, `\n` or `\r\n`, if there is one.
    Newline,
}

impl Trim {
    /// Parses the spelling of the configuration.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        (text == "newline").then_some(Self::Newline)
    }

    fn apply(self, value: &[u8]) -> &[u8] {
        let Self::Newline = self;
        let stripped = value.strip_suffix(b"\r\n").or_else(|| value.strip_suffix(b"\n"));
        stripped.unwrap_or(value)
    }
}

impl Transform {
    /// Returns whether a value stays unchanged.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Applies the transforms to a value.
    pub(crate) fn apply(&self, value: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransformError> {
        let joined = self.join.as_ref().map(|separator| join(value, separator)).transpose()?;
        let joined = joined.as_deref().map_or(value, Vec::as_slice);
        let trimmed = self.trim.map_or(joined, |trim| trim.apply(joined));
        let decoded = self.decode.map(|coding| coding.decode(trimmed)).transpose()?;
        let decoded = decoded.as_deref().map_or(trimmed, Vec::as_slice);
        let cut = self.pem.map(|part| part.cut(decoded)).transpose()?;
        let cut = cut.as_deref().map_or(decoded, Vec::as_slice);
        Ok(match self.encode {
            Some(coding) => coding.encode(cut),
            None => Zeroizing::new(cut.to_vec()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_taken_off() {
        let trim = Transform { trim: Some(Trim::Newline), ..Transform::default() };
        for (value, trimmed) in
            [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a\r", "a\r"), ("a", "a"), ("\n", ""), ("", "")]
        {
            assert_eq!(trim.apply(value.as_bytes()).unwrap().as_slice(), trimmed.as_bytes(), "{value:?}");
        }
    }

    #[test]
    fn trimming_comes_before_decoding_and_encoding_last() {
        let all = Transform {
            trim: Some(Trim::Newline),
            decode: Some(Coding::Base64),
            encode: Some(Coding::Hex),
            ..Transform::default()
        };
        assert_eq!(all.apply(b"AP8=\n").unwrap().as_slice(), b"00ff");
        let untrimmed = Transform { trim: None, ..all.clone() };
        // One line end at the end is accepted by the decoder. A second one is not base64.
        assert_eq!(untrimmed.apply(b"AP8=\n").unwrap().as_slice(), b"00ff");
        assert!(untrimmed.apply(b"AP8=\n\n").is_err());
        assert_eq!(all.apply(b"AP8=\n\n").unwrap().as_slice(), b"00ff");
    }

    #[test]
    fn texts_are_joined_before_all_else_and_blocks_are_cut_out_of_what_was_decoded() {
        let join = |separator: &str| Transform { join: Some(separator.to_owned()), ..Transform::default() };
        let trimmed = Transform { trim: Some(Trim::Newline), ..join("\n") };
        assert_eq!(trimmed.apply(br#"["a", "b"]"#).unwrap().as_slice(), b"a\nb");
        let decoded = Transform { decode: Some(Coding::Base64), ..join("") };
        assert_eq!(decoded.apply(br#"["AP", "8="]"#).unwrap().as_slice(), [0, 255]);
        let key = "-----BEGIN PRIVATE KEY-----\nAP8=\n-----END PRIVATE KEY-----\n";
        let encoded = Coding::Base64.encode(format!("text\n{key}").as_bytes());
        let cut = Transform { decode: Some(Coding::Base64), pem: Some(Part::Key), ..Transform::default() };
        assert_eq!(cut.apply(&encoded).unwrap().as_slice(), key.as_bytes());
        let again = Transform { encode: Some(Coding::Hex), ..cut };
        assert_eq!(again.apply(&encoded).unwrap(), Coding::Hex.encode(key.as_bytes()));
    }
}
