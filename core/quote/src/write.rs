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

#[cfg(test)]
mod tests;

/// The most bytes of a value for `docker run --env-file`, as `LONG_LINE` says. It reads lines of less than 65,536, the name included.
const LONGEST_LINE: usize = 65_000;

/// A text cannot be written for a reader. Says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QuoteError(&'static str);

const NUL_IN_SHELL: QuoteError = QuoteError("the value has a NUL in it, which no shell can hold");
const NUL: QuoteError = QuoteError("the value has a NUL in it, which no environment can hold");
const CARRIAGE_RETURN: QuoteError =
    QuoteError("the value has a carriage return in it, which readers of such files treat differently");
const LINE_END: QuoteError = QuoteError(
    "the value has a line end in it, which `docker run --env-file` cannot read; mount a file instead",
);
const LONG_LINE: QuoteError = QuoteError(
    "the value has more than 65000 bytes, and `docker run --env-file` reads no longer lines; mount a file instead",
);
const BACKQUOTE: QuoteError = QuoteError(
    "the value has a backquote, and also a `'` or a backslash at its end, which no quotes keep for all readers; if a shell reads it, use `shell`",
);

/// Writes one word of a POSIX shell, in single quotes.
pub(super) fn shell(text: &str) -> Result<String, QuoteError> {
    if text.contains('\0') { Err(NUL_IN_SHELL) } else { Ok(format!("'{}'", text.replace('\'', r"'\''"))) }
}

/// Writes the value of a variable for whoever reads files of them with quotes.
///
/// In single quotes if it can be: nothing is special there to any reader, but a backslash before the closing quote is to some.
/// In double quotes a backquote is left out, for a shell runs what is in it, and a backslash before it is kept by others.
pub(super) fn dotenv(text: &str) -> Result<String, QuoteError> {
    match text {
        _ if text.contains('\0') => Err(NUL),
        _ if text.contains('\r') => Err(CARRIAGE_RETURN),
        _ if !text.contains('\'') && !text.ends_with('\\') => Ok(format!("'{text}'")),
        _ if text.contains('`') => Err(BACKQUOTE),
        _ => Ok(in_double(text, |written, c| {
            written.extend("\\\"$".contains(c).then_some('\\').into_iter().chain([c]))
        })),
    }
}

/// Writes the value of a variable for a reader that knows no quotes: as it is.
pub(super) fn docker(text: &str) -> Result<String, QuoteError> {
    match text {
        _ if text.contains('\0') => Err(NUL),
        _ if text.contains(['\n', '\r']) => Err(LINE_END),
        _ if text.len() > LONGEST_LINE => Err(LONG_LINE),
        _ => Ok(text.to_owned()),
    }
}

/// Writes a JSON string. Nothing is escaped but what must be, for JSON or for YAML, which takes some of it for line ends and refuses
/// the rest: not `/`, nor other text that is not ASCII.
pub fn json(text: &str) -> String {
    let is_special_to_yaml = |c| matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    in_double(text, |written, c| basic(written, c, c.is_control() || is_special_to_yaml(c)))
}

/// Writes a basic string of TOML.
pub(super) fn toml(text: &str) -> String {
    in_double(text, |written, c| basic(written, c, c.is_ascii_control()))
}

/// Writes bytes for any part of a URL: everything but letters, digits and `-._~` as `%XX`.
pub fn url(bytes: &[u8]) -> String {
    let mut written = String::new();
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                written.push(char::from(*byte))
            }
            _ => written.push_str(&format!("%{byte:02X}")),
        }
    }
    written
}

fn in_double(text: &str, mut write: impl FnMut(&mut String, char)) -> String {
    let mut written = String::from('"');
    text.chars().for_each(|c| write(&mut written, c));
    written + "\""
}

/// Writes a character as JSON and TOML have it, or its number, which has four digits at the most.
fn basic(written: &mut String, c: char, is_number: bool) {
    match c {
        _ if is_number => written.push_str(&format!("\\u{:04X}", u32::from(c))),
        '"' | '\\' => written.extend(['\\', c]),
        _ => written.push(c),
    }
}
