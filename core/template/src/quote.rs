//! Writes a text so that some reader gets it back unchanged, or says that this cannot be done.
//!
//! | | read by |
//! |---|---|
//! | [`shell`] | a POSIX shell, as one word |
//! | [`dotenv`] | a POSIX shell that sources the file, the `env_file` of Docker Compose, dotenvy, the provider `file` |
//! | [`docker`] | `docker run --env-file` |
//! | [`json`] | JSON (RFC 8259), YAML |
//! | [`toml`] | TOML 1.0 |
//! | [`url`] | any part of a URL (RFC 3986) |
//!
//! No form of quotes is read alike by all that calls itself dotenv: python-dotenv and the readers of Node.js have rules of their own
//! for `'`, `\` and `${` inside quotes. What has none of these they read as the others do.
//!
//! What is written is copied once, into a buffer that is large enough from the start and wiped when dropped.

#[cfg(test)]
mod tests;

use std::array;
use std::iter::Flatten;

use zeroize::Zeroizing;

/// The most bytes of a value for `docker run --env-file`. It reads lines of less than 65,536, the name included.
const LONGEST_LINE: usize = 65_000;

/// A text cannot be written for a reader. Says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QuoteError {
    #[error("the value has a NUL in it, which no shell can hold")]
    NulInShell,
    #[error("the value has a NUL in it, which no environment can hold")]
    Nul,
    #[error("the value has a carriage return in it, which readers of such files treat differently")]
    CarriageReturn,
    #[error(
        "the value has a line end in it, which `docker run --env-file` cannot read; mount a file instead"
    )]
    LineEnd,
    #[error(
        "the value has more than {most} bytes, and `docker run --env-file` reads no longer lines; mount a file instead"
    )]
    LongLine { most: usize },
    #[error(
        "the value has a backquote and a `'`, or a backslash at its end, which no quotes keep for all readers; if a shell reads it, use `shell`"
    )]
    Backquote,
}

/// Writes one word of a POSIX shell, in single quotes.
pub(super) fn shell(text: &str) -> Result<Zeroizing<String>, QuoteError> {
    if text.contains('\0') {
        return Err(QuoteError::NulInShell);
    }
    let escaped =
        text.chars().flat_map(|c| if c == '\'' { chars(['\'', '\\', '\'', '\'']) } else { chars([c]) });
    Ok(within('\'', escaped))
}

/// Writes the value of a variable for whoever reads files of them with quotes.
///
/// In single quotes if it can be: nothing is special there to any reader, but a backslash before the closing quote is to some.
/// In double quotes a backquote is left out, for a shell runs what is in it, and a backslash before it is kept by others.
pub(super) fn dotenv(text: &str) -> Result<Zeroizing<String>, QuoteError> {
    if text.contains('\0') {
        return Err(QuoteError::Nul);
    }
    if text.contains('\r') {
        return Err(QuoteError::CarriageReturn);
    }
    if !text.contains('\'') && !text.ends_with('\\') {
        return Ok(within('\'', text.chars()));
    }
    if text.contains('`') {
        return Err(QuoteError::Backquote);
    }
    let escaped = text.chars().flat_map(|c| match c {
        '\\' | '"' | '$' => chars(['\\', c]),
        _ => chars([c]),
    });
    Ok(within('"', escaped))
}

/// Writes the value of a variable for a reader that knows no quotes: as it is.
pub(super) fn docker(text: &str) -> Result<Zeroizing<String>, QuoteError> {
    if text.contains('\0') {
        return Err(QuoteError::Nul);
    }
    if text.contains(['\n', '\r']) {
        return Err(QuoteError::LineEnd);
    }
    if text.len() > LONGEST_LINE {
        return Err(QuoteError::LongLine { most: LONGEST_LINE });
    }
    Ok(collect(text.chars()))
}

/// Writes a JSON string. Nothing is escaped but what must be, for JSON or for YAML, which takes some of it for line ends and refuses
/// the rest: not `/`, nor other text that is not ASCII.
pub(super) fn json(text: &str) -> Zeroizing<String> {
    within(
        '"',
        text.chars()
            .flat_map(|c| if c.is_control() || is_special_to_yaml(c) { unicode(c) } else { backslash(c) }),
    )
}

fn is_special_to_yaml(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Writes a basic string of TOML.
pub(super) fn toml(text: &str) -> Zeroizing<String> {
    within('"', text.chars().flat_map(|c| if c.is_ascii_control() { unicode(c) } else { backslash(c) }))
}

/// Writes bytes for any part of a URL: everything but letters, digits and `-._~` as `%XX`.
pub(super) fn url(bytes: &[u8]) -> Zeroizing<String> {
    collect(bytes.iter().flat_map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => chars([char::from(*byte)]),
        _ => chars(['%', digit(byte >> 4), digit(byte & 15)]),
    }))
}

/// What one character is written as.
type Written = Flatten<array::IntoIter<Option<char>, 6>>;

fn chars<const N: usize>(written: [char; N]) -> Written {
    const { assert!(N <= 6, "all of them are written") };
    let mut written = written.into_iter();
    [(); 6].map(|()| written.next()).into_iter().flatten()
}

fn backslash(c: char) -> Written {
    if matches!(c, '"' | '\\') { chars(['\\', c]) } else { chars([c]) }
}

/// Writes a character by its number, which has four digits at the most.
fn unicode(c: char) -> Written {
    let [high, low] = u16::try_from(u32::from(c)).unwrap_or_default().to_be_bytes();
    chars(['\\', 'u', digit(high >> 4), digit(high & 15), digit(low >> 4), digit(low & 15)])
}

/// Returns a digit of RFC 3986, which wants them in upper case.
fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or_default().to_ascii_uppercase()
}

fn within(quote: char, text: impl Iterator<Item = char> + Clone) -> Zeroizing<String> {
    collect([quote].into_iter().chain(text).chain([quote]))
}

/// Puts characters into a buffer that is as large as it must be.
pub(super) fn collect(text: impl Iterator<Item = char> + Clone) -> Zeroizing<String> {
    let length = text.clone().map(char::len_utf8).sum();
    let mut collected = Zeroizing::new(String::with_capacity(length));
    for c in text {
        collected.push(c);
    }
    collected
}
