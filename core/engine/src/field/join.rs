//! Joins the texts of a JSON array.

use zeroize::Zeroizing;

use super::error::FieldError;
use super::json::{self, Kind};

/// The reason why the texts of an array could not be joined. It contains no part of the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The value is not JSON.
    #[error("the value is not a JSON array: {0}")]
    NotJson(FieldError),
    /// The value is JSON, but not an array.
    #[error("the value is JSON, but not an array")]
    NotAnArray,
    /// The array has no element.
    #[error("the array is empty")]
    Empty,
    /// An element is not a text.
    #[error("element {0} of the array is not a text")]
    NotAText(usize),
    /// An element contains half of a surrogate pair.
    #[error("element {0} of the array is not Unicode: it has half of a surrogate pair")]
    NotUnicode(usize),
}

impl JoinError {
    /// Returns a hint for the user.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotJson(_) | Self::NotAnArray => Some("`join` needs an array: does `field` select one?"),
            Self::Empty | Self::NotAText(_) | Self::NotUnicode(_) => None,
        }
    }
}

/// Joins the texts of an array. A separator that ends with a newline also follows the last text.
pub(crate) fn join(value: &[u8], separator: &str) -> Result<Zeroizing<Vec<u8>>, JoinError> {
    let array = json::parse(value).map_err(JoinError::NotJson)?;
    if Kind::of(array) != Kind::Array {
        return Err(JoinError::NotAnArray);
    }
    let elements = json::elements(array).map_err(JoinError::NotJson)?;
    let last = elements.len().checked_sub(1).ok_or(JoinError::Empty)?;
    // No text is longer than its JSON.
    let most = value.len() + elements.len().saturating_mul(separator.len());
    let mut joined = Zeroizing::new(Vec::with_capacity(most));
    for (index, element) in elements.into_iter().enumerate() {
        if Kind::of(element) != Kind::String {
            return Err(JoinError::NotAText(index));
        }
        joined.extend_from_slice(&json::text(element).ok_or(JoinError::NotUnicode(index))?);
        if index < last || separator.ends_with('\n') {
            joined.extend_from_slice(separator.as_bytes());
        }
    }
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_joined_and_a_line_end_ends_the_last_line() {
        for (value, separator, joined) in [
            (r#"["a", "b\n", "\u00e9"]"#, ",", "a,b\n,é"),
            (r#"["a", "b"]"#, "", "ab"),
            (r#"["a", "b"]"#, "\n", "a\nb\n"),
            (r#" [ "a" ] "#, "\r\n", "a\r\n"),
            (r#"["a"]"#, ", ", "a"),
            (r#"[""]"#, "\n", "\n"),
        ] {
            assert_eq!(join(value.as_bytes(), separator).unwrap().as_slice(), joined.as_bytes(), "{value}");
        }
    }

    #[test]
    fn the_buffer_does_not_grow() {
        let value = format!("[{}\"\"]", "\"\",".repeat(99));
        let joined = join(value.as_bytes(), "\n").unwrap();
        assert_eq!((joined.len(), joined.capacity()), (100, value.len() + 100));
    }

    #[test]
    fn what_is_no_array_of_texts_is_refused() {
        for (value, expected) in [
            ("{}", JoinError::NotAnArray),
            ("\"hunter2\"", JoinError::NotAnArray),
            ("[]", JoinError::Empty),
            (r#"["hunter2", 1]"#, JoinError::NotAText(1)),
            ("[null]", JoinError::NotAText(0)),
            (r#"["a", ["b"]]"#, JoinError::NotAText(1)),
            (r#"["\ud800"]"#, JoinError::NotUnicode(0)),
        ] {
            assert_eq!(join(value.as_bytes(), "\n").unwrap_err(), expected, "{value}");
        }
        let error = join(b"[\"hunter2\"", "\n").unwrap_err().to_string();
        assert_eq!(
            error,
            "the value is not a JSON array: the secret is not JSON: it ends early at line 1, column 10"
        );
    }
}
