//! Escapes text from outside, so that it is safe to print.
//!
//! Names on disk and messages of a store or plug-in may contain dangerous characters. They can move the cursor, hide or
//! reorder the text around them, or begin a new line. Everything that is printed for people is escaped here: names in a
//! text of several lines, whole messages, and finally all output of the command.

use std::borrow::Cow;
use std::fmt::Write;

/// Escapes every character that could control a terminal, forge a line, or be invisible. The escapes are those of Rust. The
/// characters are control characters, line and paragraph separators, bidirectional controls, and characters without width.
///
/// ```
/// assert_eq!(secretdir_engine::escape("db/pässword"), "db/pässword");
/// assert_eq!(secretdir_engine::escape("a\u{1b}[31m\r\nb\u{202e}"), r"a\u{1b}[31m\r\nb\u{202e}");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    rewrite(text, |character, escaped| escaped.extend(character.escape_default()))
}

/// Escapes the same characters in JSON with JSON's own escapes. Line feeds stay, because they stand only between its
/// values.
///
/// ```
/// assert_eq!(secretdir_engine::escape_json("\"\u{202e}\"\n"), "\"\\u202e\"\n");
/// ```
pub fn escape_json(json: &str) -> Cow<'_, str> {
    rewrite(json, |character, escaped| match character {
        '\n' => escaped.push('\n'),
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    })
}

fn rewrite(text: &str, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unsafe(character) {
            escape(character, &mut escaped);
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// Returns whether a character must not reach a terminal unescaped.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // The soft hyphen, and invisible separators and fillers.
            '\u{ad}' | '\u{34f}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{2800}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
            // Marks of direction, embeddings, overrides and isolates.
            | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Zero-width spaces and joiners, and the byte order mark.
            | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
            // Line and paragraph separators.
            | '\u{2028}' | '\u{2029}'
            // Annotations, tags, and variation selectors.
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e01ef}' | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_words_are_not() {
        for (text, escaped) in [
            ("grüße/日本 e\u{301} 🔑 \\n \"q\"", "grüße/日本 e\u{301} 🔑 \\n \"q\""),
            ("\u{0}\t\n\r\u{1b}\u{7f}\u{85}\u{9b}", r"\u{0}\t\n\r\u{1b}\u{7f}\u{85}\u{9b}"),
            ("\u{61c}\u{200e}\u{200f}", r"\u{61c}\u{200e}\u{200f}"),
            ("\u{202a}\u{202e}\u{2066}\u{2069}", r"\u{202a}\u{202e}\u{2066}\u{2069}"),
            ("\u{200b}\u{200d}\u{2060}\u{feff}", r"\u{200b}\u{200d}\u{2060}\u{feff}"),
            ("\u{2028}\u{2029}\u{e0041}", r"\u{2028}\u{2029}\u{e0041}"),
        ] {
            assert_eq!(escape(text), escaped);
        }
    }

    proptest! {
        #[test]
        fn json_stays_the_same_value(text: String) {
            let text = format!("{text}\u{7f}\u{9b}\u{202e}\u{e0041}");
            let json = serde_json::to_string_pretty(&[&text]).unwrap();
            let escaped = escape_json(&json);
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&escaped).unwrap(), [text]);
            prop_assert!(!escaped.replace('\n', "").contains(is_unsafe));
        }

        #[test]
        fn nothing_unsafe_is_left(text: String) {
            prop_assert!(!escape(&text).contains(is_unsafe));
        }
    }
}
