//! Takes values out of a text that is to be shown.
//!
//! What a program writes on standard error, or gives as a message, is its own business: it may quote the very value that it
//! was asked for. Whatever the process answered with, and whatever it was given in variables that a configuration names,
//! is taken out, also in part: no [`PART`] bytes in a row of a value remain, as they are, in hex, in Base64 at any place of a
//! longer text, in the form of a URL, or as JSON escapes them. A value that the program knows and never answered with cannot be
//! recognised.
//!
//! The texts are short (see [`Excerpt`]), and the values may be long: each value is gone through once. Of a
//! short one the coded forms are made, which are wiped.

use std::collections::{BTreeSet, HashSet};
use std::ops::{Range, RangeBounds};
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use zeroize::Zeroizing;

use crate::decoded::Decoded;
use crate::excerpt::Excerpt;

/// As many bytes in a row count as a part of a value.
const PART: usize = 6;

/// A value that is shorter than this gives too much away by where it was taken out: the text is not shown at all.
const SHORT: usize = 4;

/// What stands where a value was.
const MARK: &str = "[redacted]";

/// What stands for a text that may not be shown.
const WITHHELD: &str = "[withheld: it holds a value]";

/// What has to be taken out of some texts.
pub(crate) struct Redaction {
    /// How long the parts are that are looked for: [`PART`], and the lengths of shorter values.
    lengths: BTreeSet<usize>,
    /// The parts of values that occur in the texts.
    found: HashSet<Key>,
}

impl Redaction {
    /// Looks for the values in the texts.
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

    /// Returns one of the texts, as one line, without the values.
    pub(crate) fn of(&self, text: &Excerpt) -> String {
        let holds_short = self.places(text, ..SHORT).next().is_some();
        if holds_short { WITHHELD.to_owned() } else { self.of_label(text) }
    }

    /// Returns one of the texts, such as the number of a version, that may well have a character or three in common with a value.
    pub(crate) fn of_label(&self, text: &Excerpt) -> String {
        let mut hidden = vec![false; text.as_bytes().len()];
        for place in self.places(text, SHORT..) {
            hidden.iter_mut().take(place.end).skip(place.start).for_each(|hidden| *hidden = true);
        }
        text.marked(shown(text, &hidden))
    }

    /// Returns where parts of these lengths stand.
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

/// Returns the parts of what a text says.
fn said(text: &Excerpt, lengths: &BTreeSet<usize>) -> Vec<Key> {
    let readings = readings(text.as_bytes(), lengths);
    readings.flat_map(|(decoded, length)| Key::parts(&decoded.bytes, length).collect::<Vec<_>>()).collect()
}

/// Reads a text in every form, once for each length of a part that can be looked for there. Fewer than [`SHORT`] bytes occur in
/// hex and Base64 by chance.
fn readings(text: &[u8], lengths: &BTreeSet<usize>) -> impl Iterator<Item = (Rc<Decoded>, usize)> {
    let close = Decoded::close(text).map(|decoded| (Rc::new(decoded), 1));
    let coded = Decoded::coded(text).map(|decoded| (Rc::new(decoded), SHORT));
    close.chain(coded).flat_map(|(decoded, shortest)| {
        lengths.range(shortest..).map(move |length| (Rc::clone(&decoded), *length))
    })
}

/// Returns the whole forms of a short value that do not occur by chance: its bytes in the middle of such a form would.
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

/// At most [`PART`] bytes, as a number that is quick to compare: how many, and which.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key(u64);

impl Key {
    /// Returns all parts of so many bytes.
    fn parts(bytes: &[u8], length: usize) -> impl Iterator<Item = Self> {
        let whole = bytes.windows(length.clamp(1, PART));
        whole.map(|part| {
            work::note();
            Self(part.iter().fold(part.len() as u64, |key, byte| key << 8 | u64::from(*byte)))
        })
    }
}

/// Puts together what may be shown, with one mark for each run of what may not.
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

/// Cuts into runs of the same.
fn runs(hidden: &[bool]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    hidden.chunk_by(|a, b| a == b).map(move |run| {
        let range = start..start + run.len();
        start = range.end;
        range
    })
}

/// How much is done, for the tests.
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
