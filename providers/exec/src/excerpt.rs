//! An excerpt of a program's text. The text is cut before anything else is done with it.
//!
//! A program may write any amount of text, but a person reads one line. So only [`SHOWN`] bytes of a text are ever
//! shown. A value could lie across the cut, and its visible part would not be recognised. So [`MARGIN`] bytes beyond
//! the cut are kept too. They are searched for values, and never shown.

use zeroize::Zeroizing;

/// The maximum length of the shown part: 2 KiB.
pub(crate) const SHOWN: usize = 2048;

/// The number of extra bytes that are enough to recognise a value. That takes six bytes in their longest form
/// (`\u{000000}`), or a short value of five bytes in Base64 or hex.
pub(crate) const MARGIN: usize = 64;

/// The mark at the cut of a text.
pub(crate) const CUT: &str = "[cut]";

/// A bounded text. It may hold a value, so it is wiped, and has no `Debug`.
#[derive(Default)]
pub(crate) struct Excerpt {
    kept: Zeroizing<Vec<u8>>,
    cut: Cut,
}

/// Where the text was cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Cut {
    #[default]
    Nowhere,
    Before,
    Behind,
}

impl Excerpt {
    /// Keeps the beginning of a text.
    pub(crate) fn beginning(text: &str) -> Self {
        let cut = if text.len() > SHOWN { Cut::Behind } else { Cut::Nowhere };
        Self { kept: Zeroizing::new(kept(text).as_bytes().to_vec()), cut }
    }

    /// Makes an excerpt that keeps nothing of its text.
    pub(crate) fn nothing() -> Self {
        Self { kept: Zeroizing::default(), cut: Cut::Behind }
    }

    /// Appends a text, and keeps the end of the result.
    pub(crate) fn append(&mut self, more: &[u8]) {
        let all = Zeroizing::new([self.kept.as_slice(), more].concat());
        if all.len() > SHOWN {
            self.cut = Cut::Before;
        }
        let start = all.len().saturating_sub(SHOWN + MARGIN);
        self.kept = Zeroizing::new(all.get(start..).unwrap_or_default().to_owned());
    }

    /// Returns the bytes that are searched for values.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.kept
    }

    /// Returns the range of these bytes that may be shown. The rest is at most the margin and a part of a character.
    pub(crate) fn shown(&self) -> std::ops::Range<usize> {
        let length = self.kept.len();
        match self.cut {
            Cut::Nowhere => 0..length,
            Cut::Behind => 0..floor_boundary(&self.kept, SHOWN.min(length)),
            Cut::Before => ceil_boundary(&self.kept, length.saturating_sub(SHOWN))..length,
        }
    }

    /// Adds a mark where the text was cut.
    pub(crate) fn marked(&self, shown: String) -> String {
        match self.cut {
            Cut::Nowhere => shown,
            _ if shown.is_empty() => CUT.to_owned(),
            Cut::Before => format!("{CUT} {shown}"),
            Cut::Behind => format!("{shown} {CUT}"),
        }
    }
}

/// Returns the part of a text's beginning that is kept.
pub(crate) fn kept(text: &str) -> &str {
    text.get(..text.floor_char_boundary(SHOWN + MARGIN)).unwrap_or_default()
}

/// Returns the start of the character that this byte belongs to.
fn floor_boundary(bytes: &[u8], at: usize) -> usize {
    (0..=at).rev().find(|at| is_boundary(bytes, *at)).unwrap_or(0)
}

/// Returns the start of the next character, or this position if one starts here.
fn ceil_boundary(bytes: &[u8], at: usize) -> usize {
    (at..bytes.len()).find(|at| is_boundary(bytes, *at)).unwrap_or(bytes.len())
}

/// Returns whether a character of UTF-8 may start here.
fn is_boundary(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_none_or(|byte| byte & 0b1100_0000 != 0b1000_0000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(excerpt: &Excerpt) -> String {
        let shown = excerpt.as_bytes()[excerpt.shown()].to_vec();
        excerpt.marked(String::from_utf8(shown).unwrap())
    }

    #[test]
    fn a_text_is_cut_between_two_characters_and_marked() {
        for text in ["", "short", &"x".repeat(SHOWN)] {
            assert_eq!(told(&Excerpt::beginning(text)), text);
        }
        let long = "é".repeat(5_000_000);
        for (before, shown) in [("", SHOWN / 2), ("x", SHOWN / 2 - 1)] {
            let excerpt = Excerpt::beginning(&format!("{before}{long}"));
            assert!(excerpt.as_bytes().len() <= SHOWN + MARGIN);
            let expected = format!("{before}{} {CUT}", "é".repeat(shown));
            assert_eq!(told(&excerpt), expected);
        }
        assert_eq!(told(&Excerpt::nothing()), CUT);
    }

    #[test]
    fn of_what_is_appended_the_end_is_kept() {
        let mut excerpt = Excerpt::default();
        excerpt.append(b"first ");
        excerpt.append(b"second");
        assert_eq!(told(&excerpt), "first second");
        for _ in 0..1000 {
            excerpt.append("é".repeat(100).as_bytes());
        }
        excerpt.append(b"x");
        assert_eq!(excerpt.as_bytes().len(), SHOWN + MARGIN);
        assert_eq!(told(&excerpt), format!("{CUT} {}x", "é".repeat(SHOWN / 2 - 1)));
    }
}
