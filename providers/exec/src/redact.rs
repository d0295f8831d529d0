//! Takes values out of a text that is to be shown.
//!
//! What a program writes on standard error, or gives as a message, is its own business: it may quote the very value that it
//! was asked for. Whatever the process answered with, and whatever it was given in variables that a configuration names,
//! is taken out, also in part: no [`PART`] bytes in a row of a value remain. A value that the program knows and never
//! answered with cannot be recognised.

use std::collections::HashSet;

/// As many bytes in a row count as a part of a value.
const PART: usize = 6;

/// A value that is shorter than this gives too much away by where it was taken out: the text is not shown at all.
const SHORT: usize = 4;

/// What stands where a value was.
const MARK: &str = "[redacted]";

/// What stands for a text that may not be shown.
const WITHHELD: &str = "[withheld: it holds a value]";

/// What has to be taken out of some texts.
pub(crate) struct Redaction<'t> {
    /// The parts of the texts that are parts of values. They are looked for in the values, and not the other way round:
    /// values may be long, and are copied nowhere.
    parts: HashSet<&'t [u8]>,
    /// The values that are shorter than a part and occur in a text: there they begin, and so long they are.
    short: HashSet<&'t [u8]>,
}

impl<'t> Redaction<'t> {
    /// Looks for the values in the texts.
    pub(crate) fn new<'v>(
        texts: impl IntoIterator<Item = &'t [u8]>,
        values: impl IntoIterator<Item = &'v [u8]>,
    ) -> Self {
        let texts: Vec<_> = texts.into_iter().collect();
        let all: HashSet<&[u8]> =
            (1..=PART).flat_map(|length| texts.iter().flat_map(move |text| text.windows(length))).collect();
        let (mut parts, mut short) = (HashSet::new(), HashSet::new());
        for value in values.into_iter().filter(|value| !value.is_empty()) {
            if value.len() < PART {
                short.extend(all.get(value));
            } else {
                parts.extend(value.windows(PART).filter_map(|part| all.get(part)));
            }
        }
        Self { parts, short }
    }

    /// Returns one of the texts, as one line, without the values.
    pub(crate) fn of(&self, text: &[u8]) -> String {
        let mut hidden = vec![false; text.len()];
        for length in 1..=PART {
            for (start, part) in text.windows(length).enumerate() {
                if self.short.contains(part) && length < SHORT {
                    return WITHHELD.to_owned();
                }
                if self.parts.contains(part) || self.short.contains(part) {
                    hidden.iter_mut().skip(start).take(length).for_each(|hidden| *hidden = true);
                }
            }
        }
        shown(text, &hidden)
    }
}

/// Puts together what may be shown, with one mark for each run of what may not.
fn shown(text: &[u8], hidden: &[bool]) -> String {
    let mut shown = String::new();
    for run in runs(hidden) {
        match hidden.get(run.start) {
            Some(true) => shown.push_str(MARK),
            _ => shown.push_str(&String::from_utf8_lossy(text.get(run).unwrap_or_default())),
        }
    }
    let words = shown.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Cuts into runs of the same.
fn runs(hidden: &[bool]) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut start = 0;
    hidden.chunk_by(|a, b| a == b).map(move |run| {
        let range = start..start + run.len();
        start = range.end;
        range
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redact<'a>(text: &'a [u8], values: impl IntoIterator<Item = &'a [u8]>) -> String {
        Redaction::new([text], values).of(text)
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
            assert_eq!(redact(text.as_bytes(), [value]), expected);
        }
    }

    #[test]
    fn short_values_are_taken_out_or_withhold_everything() {
        assert_eq!(redact(b"pin is 1234.", [b"1234".as_slice()]), "pin is [redacted].");
        assert_eq!(redact(b"pin is 123.", [b"123".as_slice()]), WITHHELD);
        assert_eq!(redact(b"no pin", [b"".as_slice(), b"9"]), "no pin");
    }

    proptest! {
        #[test]
        fn no_part_of_a_value_is_left(value in "[a-c]{6,12}", text in "[a-d ]{0,80}") {
            let shown = redact(text.as_bytes(), [value.as_bytes()]);
            for part in value.as_bytes().windows(PART) {
                prop_assert!(!shown.as_bytes().windows(PART).any(|other| other == part), "{} {}", text, shown);
            }
        }
    }
}
