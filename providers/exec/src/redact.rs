//! Redacts the values in a text that is to be shown.
//!
//! A program may write anything on standard error or in a message, even the very value that it was asked for. So two
//! kinds of values are redacted: the answers of the process, and the variables that the configuration names for it.
//! Parts are redacted too: no [`PART`] consecutive bytes of a value remain. They are found as they are, in hex, in
//! Base64 at any position of a longer text, in a URL, or as JSON escapes. A value that the program knows and never
//! answered with cannot be recognised.
//!
//! The texts are short (see [`Excerpt`]), and the values may be long, so each value is scanned once. The encoded forms
//! of a short value are made, and wiped afterwards.

use std::collections::{BTreeSet, HashSet};
use std::ops::{Range, RangeBounds};
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use zeroize::Zeroizing;

use crate::decoded::Decoded;
use crate::excerpt::Excerpt;

/// This many consecutive bytes count as a part of a value.
const PART: usize = 6;

/// The minimum length of a value that a mark can replace. The place of a mark would reveal too much of a shorter value,
/// so such a text is not shown at all.
const SHORT: usize = 4;

/// The mark in place of a value.
const MARK: &str = "[redacted]";

/// The text in place of one that may not be shown.
const WITHHELD: &str = "[withheld: it holds a value]";

/// The parts of values that must be redacted in some texts.
pub(crate) struct Redaction {
    /// The lengths of the parts to search for: [`PART`], and the lengths of shorter values.
    lengths: BTreeSet<usize>,
    /// The parts of values that occur in the texts.
    found: HashSet<Key>,
}

impl Redaction {
    /// Searches the texts for the values.
    pub(crate) fn new<'t, 'v>(
        texts: impl IntoIterator<Item = &'t Excerpt>,
        values: impl IntoIterator<Item = &'v [u8]>,
    ) -> Self {
        let values: Vec<_> = values.into_iter().filter(|value| !value.is_empty()).collect();
        let forms: Vec<_> =
            values.iter().filter(|value| value.len() < PART).flat_map(|value| forms(value)).collect();
        let all = || values.iter().copied().chain(forms.iter().map(|form| form.as_bytes()));
        let lengths: BTreeSet<_> = all().map(|value| value.len().min(PART)).collect();
        let said: HashSet<Key> = texts.into_iter().flat_map(|text| said(text, &lengths)).collect();
        let mut found = HashSet::new();
        if !said.is_empty() {
            let parts = all().flat_map(|value| Key::parts(value, value.len().min(PART)));
            found.extend(parts.filter(|key| said.contains(key)));
        }
        Self { lengths, found }
    }

    /// Returns one of the texts, on one line, without the values.
    pub(crate) fn of(&self, text: &Excerpt) -> String {
        let holds_short = self.places(text, ..SHORT).next().is_some();
        if holds_short { WITHHELD.to_owned() } else { self.of_label(text) }
    }

    /// Returns one of the texts, such as a version number. It may well share one to three characters with a value, so
    /// these do not count.
    pub(crate) fn of_label(&self, text: &Excerpt) -> String {
        let mut hidden = vec![false; text.as_bytes().len()];
        for place in self.places(text, SHORT..) {
            hidden.iter_mut().take(place.end).skip(place.start).for_each(|hidden| *hidden = true);
        }
        text.marked(shown(text, &hidden))
    }

    /// Returns the positions of parts with these lengths.
    fn places(&self, text: &Excerpt, lengths: impl RangeBounds<usize>) -> impl Iterator<Item = Range<usize>> {
        let readings = readings(text.as_bytes(), &self.lengths);
        let readings = readings.filter(move |(_, length)| lengths.contains(length));
        readings.flat_map(|(decoded, length)| {
            let keys = Key::parts(&decoded.bytes, length).enumerate();
            let found = keys.filter(|(_, key)| self.found.contains(key));
            found.map(|(start, _)| decoded.place(start..start + length)).collect::<Vec<_>>()
        })
    }
}

/// Returns all parts of a text, in every form.
fn said(text: &Excerpt, lengths: &BTreeSet<usize>) -> Vec<Key> {
    let readings = readings(text.as_bytes(), lengths);
    readings.flat_map(|(decoded, length)| Key::parts(&decoded.bytes, length).collect::<Vec<_>>()).collect()
}

/// Decodes a text in every form, once for each length of a part that can be searched for there. Fewer than [`SHORT`]
/// bytes occur in hex and Base64 by chance.
fn readings(text: &[u8], lengths: &BTreeSet<usize>) -> impl Iterator<Item = (Rc<Decoded>, usize)> {
    let close = Decoded::close(text).map(|decoded| (Rc::new(decoded), 1));
    let coded = Decoded::coded(text).map(|decoded| (Rc::new(decoded), SHORT));
    close.chain(coded).flat_map(|(decoded, shortest)| {
        lengths.range(shortest..).map(move |length| (Rc::clone(&decoded), *length))
    })
}

/// Returns the complete encoded forms of a short value that are too long to occur by chance. Its bytes inside a longer
/// form would be found by chance.
fn forms(value: &[u8]) -> Vec<Zeroizing<String>> {
    let hex = |digits: &[u8; 16]| {
        let digit = |number: u8| digits.get(usize::from(number)).copied().map(char::from);
        let mut hex = String::with_capacity(value.len() * 2);
        hex.extend(value.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(digit));
        hex
    };
    let forms =
        [STANDARD.encode(value), URL_SAFE.encode(value), hex(b"0123456789abcdef"), hex(b"0123456789ABCDEF")];
    let mut forms: Vec<_> = forms.into_iter().map(Zeroizing::new).collect();
    forms.retain(|form| form.len() >= SHORT);
    forms
}

/// At most [`PART`] bytes, as a number that is fast to compare. It holds the bytes and their count.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key(u64);

impl Key {
    /// Returns all parts of this length.
    fn parts(bytes: &[u8], length: usize) -> impl Iterator<Item = Self> {
        let whole = bytes.windows(length.clamp(1, PART));
        whole.map(|part| {
            work::note();
            Self(part.iter().fold(part.len() as u64, |key, byte| key << 8 | u64::from(*byte)))
        })
    }
}

/// Joins the text that may be shown, with one mark for each run that may not.
fn shown(text: &Excerpt, hidden: &[bool]) -> String {
    let mut shown = String::new();
    let part = text.shown();
    for run in runs(hidden) {
        let visible = run.start.max(part.start)..run.end.min(part.end);
        match hidden.get(run.start) {
            _ if visible.is_empty() => {}
            Some(true) => shown.push_str(MARK),
            _ => shown.push_str(&String::from_utf8_lossy(text.as_bytes().get(visible).unwrap_or_default())),
        }
    }
    let words = shown.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Splits a slice into runs of equal elements.
fn runs(hidden: &[bool]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    hidden.chunk_by(|a, b| a == b).map(move |run| {
        let range = start..start + run.len();
        start = range.end;
        range
    })
}

/// Counts the work, for the tests.
mod work {
    #[cfg(test)]
    thread_local! {
        pub(super) static PARTS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    #[cfg(test)]
    pub(super) fn note() {
        PARTS.set(PARTS.get() + 1);
    }

    #[cfg(not(test))]
    pub(super) const fn note() {}
}

#[cfg(test)]
mod tests;
