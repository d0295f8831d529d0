//! Encodes names of profiles so that the SDK accepts them, and decodes them in its errors.

use std::fmt::Write as _;

/// Encodes a name so that the SDK accepts it. Each other character becomes its number, such as `%20%`.
pub(super) fn written(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-/.@:+".contains(c);
    name.chars().fold(String::new(), |mut text, c| {
        if is_plain(c) {
            text.push(c);
        } else {
            let _ = write!(text, "%{:x}%", u32::from(c));
        }
        text
    })
}

/// Decodes the names in a message of the SDK.
pub(crate) fn readable(text: &str) -> String {
    let mut readable = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        readable.push_str(before);
        let number = after.split_once('%').map(|(number, _)| number).filter(|number| number.len() <= 6);
        let c = number.and_then(|number| char::from_u32(u32::from_str_radix(number, 16).ok()?));
        match (number, c) {
            (Some(number), Some(c)) => {
                readable.push(c);
                rest = after.get(number.len() + 1..).unwrap_or_default();
            }
            _ => {
                readable.push('%');
                rest = after;
            }
        }
    }
    readable + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_back_as_it_was() {
        for name in ["plain-name_1", "two words", "it's", "b\u{fc}ro", "a%b!", "%", "%20%", "\u{1f511}", ""] {
            let written = written(name);
            assert!(written.is_ascii() && !written.contains(' '), "{written}");
            assert_eq!(readable(&format!("profile `{written}` is bad")), format!("profile `{name}` is bad"));
        }
        for text in ["100 % sure, 50 %", "%zz%", "%110000%", "%"] {
            assert_eq!(readable(text), text);
        }
    }
}
