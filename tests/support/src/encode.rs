//! The forms in which a value can turn up in an output.

use std::ops::Range;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Returns every form of a value with its name; equal forms once.
pub(crate) fn forms(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![("raw", value.to_vec())];
    let encoded = [
        ("base64", base64_inside(value, 0, STANDARD)),
        ("base64, one byte into a longer text", base64_inside(value, 1, STANDARD)),
        ("base64, two bytes into a longer text", base64_inside(value, 2, STANDARD)),
        ("url-safe base64", base64_inside(value, 0, URL_SAFE)),
        ("url-safe base64, one byte into a longer text", base64_inside(value, 1, URL_SAFE)),
        ("url-safe base64, two bytes into a longer text", base64_inside(value, 2, URL_SAFE)),
        ("lower-case hex", each(value, |byte| format!("{byte:02x}"))),
        ("upper-case hex", each(value, |byte| format!("{byte:02X}"))),
        ("url-encoded", each(value, |byte| url(byte, format!("%{byte:02X}")))),
        ("url-encoded in lower case", each(value, |byte| url(byte, format!("%{byte:02x}")))),
        ("escaped as Debug does", value.escape_ascii().to_string()),
        ("a list of numbers", value.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")),
    ];
    for (name, text) in encoded {
        if forms.iter().all(|(_, form)| form != text.as_bytes()) {
            forms.push((name, text.into_bytes()));
        }
    }
    forms
}

/// Encodes a value as it looks from `offset` bytes (modulo 3) into a longer one: only the characters that the value
/// alone decides.
fn base64_inside(value: &[u8], offset: usize, alphabet: &[u8; 64]) -> String {
    let padded = [vec![0; offset], value.to_vec()].concat();
    let first_own = (offset * 8).div_ceil(6);
    sextets(&padded, first_own..padded.len() * 8 / 6, alphabet)
}

/// Encodes a value in standard base64, with padding.
pub(crate) fn base64(value: &[u8]) -> String {
    let characters = sextets(value, 0..(value.len() * 8).div_ceil(6), STANDARD);
    let length = characters.len().next_multiple_of(4);
    format!("{characters:=<length$}")
}

/// Encodes these groups of six bits; bits after the end are 0.
fn sextets(bytes: &[u8], positions: Range<usize>, alphabet: &[u8; 64]) -> String {
    let bit = |n: usize| bytes.get(n / 8).map_or(0, |byte| (byte >> (7 - n % 8)) & 1);
    let sextet = |position: usize| (position * 6..position * 6 + 6).fold(0, |bits, n| (bits << 1) | bit(n));
    positions.filter_map(|n| alphabet.get(usize::from(sextet(n)))).map(|c| char::from(*c)).collect()
}

fn each(value: &[u8], encode: impl Fn(u8) -> String) -> String {
    value.iter().map(|byte| encode(*byte)).collect()
}

fn url(byte: u8, encoded: String) -> String {
    let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if unreserved { char::from(byte).to_string() } else { encoded }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(value: &[u8], name: &str) -> String {
        let all = forms(value);
        let (_, form) = all.iter().find(|(n, _)| *n == name).unwrap();
        String::from_utf8(form.clone()).unwrap()
    }

    #[test]
    fn the_encodings_are_the_usual_ones() {
        let value = b"hunter2 ?>\xff";
        assert_eq!(form(value, "base64"), "aHVudGVyMiA/Pv");
        assert_eq!(form(value, "url-safe base64"), "aHVudGVyMiA_Pv");
        assert_eq!(form(value, "lower-case hex"), "68756e74657232203f3eff");
        assert_eq!(form(value, "upper-case hex"), "68756E74657232203F3EFF");
        assert_eq!(form(value, "url-encoded"), "hunter2%20%3F%3E%FF");
        assert_eq!(form(value, "url-encoded in lower case"), "hunter2%20%3f%3e%ff");
        assert_eq!(["", "a", "ab", "abc"].map(|text| base64(text.as_bytes())), ["", "YQ==", "YWI=", "YWJj"]);
        assert_eq!(form(b"a\n", "a list of numbers"), "97, 10");
    }

    #[test]
    fn a_value_is_found_in_base64_wherever_it_begins_and_ends() {
        // base64 of "x" + value + "yz", "xx" + value + "yz" and value + "yz", for the value "canary!!".
        for whole in ["eGNhbmFyeSEheXo=", "eHhjYW5hcnkhIXl6", "Y2FuYXJ5ISF5eg=="] {
            let found = forms(b"canary!!").iter().any(|(name, form)| {
                name.starts_with("base64") && whole.contains(str::from_utf8(form).unwrap())
            });
            assert!(found, "{whole}");
        }
    }
}
