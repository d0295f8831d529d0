//! Escapes a text so that a reader gets it back unchanged, or says that this is impossible.
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
//! No form of quotes works with all readers of dotenv files. python-dotenv and the readers of Node.js have their own
//! rules for `'`, `\` and `${` inside quotes. They read all other text as the others do.

#[cfg(test)]
mod tests;

/// The most bytes of a value for `docker run --env-file`; the text of `LONG_LINE` repeats it. Docker reads lines of
/// fewer than 65,536 bytes, the name included.
const LONGEST_LINE: usize = 65_000;

/// The error for a text that cannot be written for a reader. It contains no part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QuoteError(&'static str);

const NUL_IN_SHELL: QuoteError = QuoteError("the value has a NUL in it, which no shell can hold");
const NUL: QuoteError = QuoteError("the value has a NUL in it, which no environment can hold");
const NONCHARACTER: QuoteError = QuoteError(
    "the value has a noncharacter of Unicode in it, such as U+FFFE: systemd would read nothing of the file",
);
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

/// Writes the value of a variable for readers of env files with quotes.
///
/// Single quotes are used if possible, because nothing is special inside them. Only a backslash before the closing
/// quote is, to some readers. In double quotes, a backquote is refused: a shell would run the text in it, and other
/// readers would keep a backslash before it.
pub(super) fn dotenv(text: &str) -> Result<String, QuoteError> {
    match text {
        _ if text.contains('\0') => Err(NUL),
        _ if text.contains('\r') => Err(CARRIAGE_RETURN),
        _ if text.contains(is_noncharacter) => Err(NONCHARACTER),
        _ if !text.contains('\'') && !text.ends_with('\\') => Ok(format!("'{text}'")),
        _ if text.contains('`') => Err(BACKQUOTE),
        _ => Ok(in_double(text, |written, c| {
            written.extend("\\\"$".contains(c).then_some('\\').into_iter().chain([c]))
        })),
    }
}

/// Returns whether a character is one of the 66 noncharacters of Unicode. systemd takes text with one for invalid UTF-8, logs the
/// value, and ignores the whole file.
pub(super) fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

/// Writes the value of a variable as it is, for a reader without quotes.
pub(super) fn docker(text: &str) -> Result<String, QuoteError> {
    match text {
        _ if text.contains('\0') => Err(NUL),
        _ if text.contains(['\n', '\r']) => Err(LINE_END),
        _ if text.len() > LONGEST_LINE => Err(LONG_LINE),
        _ => Ok(text.to_owned()),
    }
}

/// Writes a JSON string that YAML reads alike. YAML takes some characters for line ends and refuses others, so they are
/// escaped. All others that need no escape stay as they are, such as `/` and most text that is not ASCII.
pub fn json(text: &str) -> String {
    let is_special_to_yaml = |c| matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    in_double(text, |written, c| basic(written, c, c.is_control() || is_special_to_yaml(c)))
}

/// Writes a basic string of TOML.
pub(super) fn toml(text: &str) -> String {
    in_double(text, |written, c| basic(written, c, c.is_ascii_control()))
}

/// Writes bytes for any part of a URL: all but letters, digits and `-._~` become `%XX`.
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

/// Writes a character as JSON and TOML spell it, or as its number, which has at most four digits.
fn basic(written: &mut String, c: char, is_number: bool) {
    match c {
        _ if is_number => written.push_str(&format!("\\u{:04X}", u32::from(c))),
        '"' | '\\' => written.extend(['\\', c]),
        _ => written.push(c),
    }
}
