//! No part of a value is left, in whatever form, and it does not take long.

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;
use crate::excerpt::{CUT, MARGIN, SHOWN};

fn redact<'a>(text: &str, values: impl IntoIterator<Item = &'a [u8]>) -> String {
    let text = Excerpt::beginning(text);
    Redaction::new([&text], values).of(&text)
}

#[test]
fn a_value_and_its_parts_are_marked_once() {
    let value = b"correct horse".as_slice();
    let cases = [
        ("no such entry", "no such entry"),
        ("got correct horse!\n", "got [redacted]!"),
        ("got rrect hor, and correct horse", "got [redacted], and [redacted]"),
        ("got corre", "got corre"),
        ("two\r\n\tlines\n", "two lines"),
    ];
    for (text, expected) in cases {
        assert_eq!(redact(text, [value]), expected);
    }
}

#[test]
fn short_values_are_taken_out_or_withhold_everything() {
    for (text, value, expected) in [
        ("pin is 1234.", "1234", "pin is [redacted]."),
        ("pin is 123.", "123", WITHHELD),
        ("pin is MTIz.", "123", "pin is [redacted]."),
        ("pin is MTIzNA==.", "1234", "pin is [redacted]."),
        ("pin is 31323334", "1234", "pin is [redacted]"),
        ("pin is 3132", "12", "pin is [redacted]"),
        ("pin is %31%32%33", "123", WITHHELD),
    ] {
        assert_eq!(redact(text, [value.as_bytes()]), expected);
    }
    assert_eq!(redact("no pin", [b"".as_slice(), b"9"]), "no pin");
}

/// The forms of a value, with something around it where that changes the form.
fn written(value: &str) -> Vec<String> {
    let bytes = value.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
    let units: String = value.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let json = value.replace('\\', "\\\\").replace('"', "\\\"").replace('/', "\\/").replace('\n', "\\n");
    let url = value.replace('%', "%25").replace('/', "%2f").replace('+', "%2B").replace('\n', "%0a");
    let mut all = vec![
        hex.to_uppercase(),
        format!("f{hex}"),
        hex,
        percent.to_lowercase(),
        percent,
        units,
        json,
        url.replace(' ', "+"),
        url,
    ];
    for (before, after) in [("", ""), ("a", "b"), ("ab", "c"), ("abc", "defg")] {
        let longer = format!("{before}{value}{after}");
        all.push(STANDARD.encode(&longer));
        all.push(STANDARD_NO_PAD.encode(&longer));
        all.push(URL_SAFE.encode(&longer));
        all.push(URL_SAFE_NO_PAD.encode(&longer));
        let lines: Vec<_> = STANDARD.encode(&longer).into_bytes();
        all.push(lines.chunks(10).map(|line| String::from_utf8_lossy(line) + "\r\n").collect());
    }
    all
}

#[test]
fn a_value_is_found_in_every_form() {
    for value in ["Kd83hfQ/zz1+Lm5v \"\\\nü%é😀??>>", "secret", "six by"] {
        for form in written(value) {
            for text in [form.clone(), format!("had {form}, no"), format!("x{form}")] {
                let shown = redact(&text, [value.as_bytes()]);
                assert!(shown.contains(MARK), "{value:?} in {text}: {shown}");
                let left = shown.replace(MARK, "").len();
                assert!(left <= "had , no".len() + 14, "{value:?} in {text}: {shown}");
            }
        }
    }
}

/// Returns what is left of a text beside the marks.
fn left(text: &Excerpt, value: &str) -> String {
    let shown = Redaction::new([text], [value.as_bytes()]).of(text);
    let left = shown.replace(MARK, "").replace(CUT, "");
    left.trim_matches(['.', ' ']).to_owned()
}

#[test]
fn a_value_across_the_cut_leaves_no_part() {
    for value in ["Kd83hfQ-zz1-Lm5v", "12345", "1234", "s\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}t"] {
        for form in [vec![value.to_owned()], written(value)].concat() {
            // What is around the value in a longer text.
            let around = left(&Excerpt::beginning(&form), value).len();
            for seen in (1..form.len().min(40))
                .filter(|seen| (*seen < 8 || seen % 5 == 0) && form.is_char_boundary(*seen))
            {
                let (fill, rest) = (".".repeat(SHOWN - seen), ".".repeat(100));
                let cut_behind = Excerpt::beginning(&format!("{fill}{form}{rest}"));
                let mut cut_before = Excerpt::default();
                cut_before.append(format!("{rest}{form}{fill}").as_bytes());
                for text in [cut_behind, cut_before] {
                    let left = left(&text, value);
                    assert!(left.len() <= around, "{seen} of {form}: {left}");
                }
            }
        }
    }
}

#[test]
fn a_value_is_gone_through_once_whatever_is_shown() {
    let value = "0123456789abcdef".repeat(100_000);
    for text in ["short", &value] {
        let text = Excerpt::beginning(text);
        work::PARTS.set(0);
        let redaction = Redaction::new([&text], [value.as_bytes()]);
        redaction.of(&text);
        let readings = 10 * 2 * (SHOWN + MARGIN);
        assert!(work::PARTS.get() <= value.len() + readings, "{} parts", work::PARTS.get());
    }
    work::PARTS.set(0);
    Redaction::new([&Excerpt::default()], [value.as_bytes()]).of(&Excerpt::default());
    assert_eq!(work::PARTS.get(), 0, "where nothing is shown, nothing is looked for");
}

proptest! {
    #[test]
    fn no_part_of_a_value_is_left(value in "[a-c]{6,12}", text in "[a-d ]{0,80}") {
        let shown = redact(&text, [value.as_bytes()]);
        for part in value.as_bytes().windows(PART) {
            prop_assert!(!shown.as_bytes().windows(PART).any(|other| other == part), "{} {}", text, shown);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_form_of_a_part_is_left(value in "[ -~\n]{6,20}", start in 0_usize..15) {
        let part = &value[start.min(value.len() - PART)..];
        for form in written(part) {
            let shown = redact(&format!("<{form}>"), [value.as_bytes()]);
            prop_assert!(shown.contains(MARK), "{} {}", form, shown);
        }
    }
}
