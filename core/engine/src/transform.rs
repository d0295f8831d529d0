//! What is done to a value before it is a file, in this order: a line end is taken off, a text is decoded, bytes are encoded.
//!
//! None of it happens unless the configuration says so, and none of it guesses.

use zeroize::Zeroizing;

use secretdir_helpers::coding::{Coding, NotCoded};

/// What is done to one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Transform {
    pub(crate) trim: Option<Trim>,
    pub(crate) decode: Option<Coding>,
    pub(crate) encode: Option<Coding>,
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
    pub(crate) fn is_none(self) -> bool {
        self == Self::default()
    }

    /// Treats a value.
    pub(crate) fn apply(self, value: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotCoded> {
        let trimmed = self.trim.map_or(value, |trim| trim.apply(value));
        let decoded = match self.decode {
            Some(coding) => coding.decode(trimmed)?,
            None => Zeroizing::new(trimmed.to_vec()),
        };
        Ok(match self.encode {
            Some(coding) => coding.encode(&decoded),
            None => decoded,
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
        let all =
            Transform { trim: Some(Trim::Newline), decode: Some(Coding::Base64), encode: Some(Coding::Hex) };
        assert_eq!(all.apply(b"AP8=\n").unwrap().as_slice(), b"00ff");
        let untrimmed = Transform { trim: None, ..all };
        // A line end that belongs to the text is read anyway, and one that does not is no line end of Base64.
        assert_eq!(untrimmed.apply(b"AP8=\n").unwrap().as_slice(), b"00ff");
        assert!(untrimmed.apply(b"AP8=\n\n").is_err());
        assert_eq!(all.apply(b"AP8=\n\n").unwrap().as_slice(), b"00ff");
    }
}
