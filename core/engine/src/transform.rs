//! What is done to a value before it is a file, in this order: the texts of an array are joined, a line end is taken off, a text
//! is decoded, blocks of PEM are cut out, bytes are encoded.
//!
//! None of it happens unless the configuration says so, and none of it guesses.

use zeroize::Zeroizing;

use crate::field::{JoinError, join};
use crate::pem::{Part, PemError};
use secretdir_helpers::coding::{Coding, NotCoded};

/// What is done to one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Transform {
    /// What stands between the texts of an array.
    pub(crate) join: Option<String>,
    pub(crate) trim: Option<Trim>,
    pub(crate) decode: Option<Coding>,
    pub(crate) pem: Option<Part>,
    pub(crate) encode: Option<Coding>,
}

/// Why it could not be done to a value. Never holds any part of it.
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
    /// Returns what a person can do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Join(error) => error.hint(),
            Self::NotCoded(_) => None,
            Self::Pem(error) => error.hint(),
        }
    }
}

/// What is taken off the end of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trim {
    /// One line end, `\n` or `\r\n`, if there is one.
    Newline,
}

impl Trim {
    /// Reads it as a configuration spells it.
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
    /// Says whether a value stays as it is.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Treats a value.
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
        // A line end that belongs to the text is read anyway, and one that does not is no line end of Base64.
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
