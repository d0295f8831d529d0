//! Follows a file for all its readers. A *way* is the state of a reader for one possible content of the file so far.
//!
//! A file that is being written has one way. A file that is only checked may have more, because each branch of an `if`
//! is another content. The ways are followed side by side. They nearly always merge again, because different branches
//! usually leave a reader in the same state.

use crate::reading::Reading;
use crate::{Format, Misplaced, UNKNOWN};

/// The most ways of one reader. If branches make more, the rest is dropped, because the final file contains only one of
/// them. If a single text can be read in more ways, no reader can be clear about it.
const MOST_WAYS: usize = 64;

/// A value that its reader misunderstands because of its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The number that the value was given.
    pub at: usize,
    /// The format of the reader that misunderstands it.
    pub format: Format,
    /// The reason.
    pub misplaced: Misplaced,
    /// The number of the text that makes the value [`Misplaced::Unclear`].
    pub cause: Option<usize>,
}

/// The readers of a file, and their states.
#[derive(Clone, Debug)]
pub struct Readers(Vec<(Format, Vec<Way>)>);

/// The state of a reader for one possible content of the file.
#[derive(Clone, Debug, PartialEq)]
struct Way {
    reading: Reading,
    after: SinceValue,
    /// The number of the text after which nothing is clear.
    cause: Option<usize>,
}

/// The text since the last value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SinceValue {
    Text,
    /// Nothing yet. The number is that of the value.
    Value(usize),
    /// Only blanks.
    Blanks(usize),
    /// Other text of the same line, for a reader whose values go on to the end of the line.
    Rest(usize),
}

impl Readers {
    /// Returns readers at the start of a file.
    pub fn at_start(formats: &[Format]) -> Self {
        let start = |format: &Format| {
            (*format, vec![Way { reading: Reading::at_start(*format), after: SinceValue::Text, cause: None }])
        };
        Self(formats.iter().map(start).collect())
    }

    /// Returns the number of all ways. Each character that is written is read so many times.
    pub fn count(&self) -> usize {
        self.0.iter().map(|(_, ways)| ways.len()).sum()
    }

    /// Reads a text with all readers, except that of the format `beside`, if there is one. `at` returns the number of each
    /// byte for the findings.
    pub fn text(
        &mut self,
        text: &str,
        beside: Option<Format>,
        at: impl Fn(usize) -> usize,
        found: &mut Vec<Finding>,
    ) {
        // In a known text, the character that stands for unknown text is an ordinary character.
        let known = |c| if c == UNKNOWN { char::REPLACEMENT_CHARACTER } else { c };
        self.characters(text.char_indices().map(|(index, c)| (at(index), known(c))), beside, found);
    }

    fn characters(
        &mut self,
        text: impl Iterator<Item = (usize, char)> + Clone,
        beside: Option<Format>,
        found: &mut Vec<Finding>,
    ) {
        for (format, ways) in self.0.iter_mut().filter(|(format, _)| Some(*format) != beside) {
            for (at, c) in text.clone() {
                let others: Vec<_> =
                    ways.iter_mut().filter_map(|way| way.character(*format, (at, c), found)).collect();
                if !others.is_empty() && !join(ways, others) {
                    ways.iter_mut().for_each(|way| way.reading.give_up());
                }
            }
        }
    }

    /// Reads unknown text, as a part of a word, with the same readers as [`text`](Self::text).
    pub fn unknown(&mut self, beside: Option<Format>, at: usize, found: &mut Vec<Finding>) {
        self.characters(std::iter::once((at, UNKNOWN)), beside, found);
    }

    /// Reads a value with the reader of the format that it was written for. To the others it is text. `at` is its number for
    /// the findings.
    pub fn value(&mut self, format: Format, at: usize, found: &mut Vec<Finding>) {
        let ways = self.0.iter_mut().filter(|(other, _)| *other == format).flat_map(|(_, ways)| ways);
        ways.for_each(|way| way.value(format, at, found));
    }

    /// Adds the ways of another file with the same beginning.
    pub fn merge(&mut self, other: Self) {
        for ((_, ways), (_, others)) in self.0.iter_mut().zip(other.0) {
            join(ways, others);
        }
    }
}

/// Adds ways that are new. Says whether all of them fit.
fn join(ways: &mut Vec<Way>, others: Vec<Way>) -> bool {
    for other in others {
        if !ways.contains(&other) {
            ways.push(other);
        }
    }
    let fit = ways.len() <= MOST_WAYS;
    ways.truncate(MOST_WAYS);
    fit
}

impl Way {
    /// Reads a character. If it can be read in two ways, returns the second one.
    fn character(
        &mut self,
        format: Format,
        (at, c): (usize, char),
        found: &mut Vec<Finding>,
    ) -> Option<Self> {
        let is_blank = matches!(c, ' ' | '\t');
        let (value, fits) = match self.after {
            SinceValue::Text => (None, true),
            SinceValue::Value(value) => (Some(value), may_follow(format, c)),
            SinceValue::Blanks(value) => (Some(value), may_follow_blanks(format, c)),
            SinceValue::Rest(value) => (Some(value), true),
        };
        let misplaced = value.filter(|_| !fits).map(|value| (value, Misplaced::BeforeText));
        found.extend(misplaced.map(|(at, misplaced)| Finding { at, format, misplaced, cause: None }));
        self.after = match value.filter(|_| fits) {
            Some(value) if is_blank => SinceValue::Blanks(value),
            Some(value) if format == Format::Docker && c != '\n' => SinceValue::Rest(value),
            _ => SinceValue::Text,
        };
        let other = self.reading.character(c);
        if self.cause.is_none() && self.reading.is_unclear() {
            self.cause = Some(at);
        }
        other.map(|reading| Self { reading, ..*self })
    }

    fn value(&mut self, format: Format, at: usize, found: &mut Vec<Finding>) {
        let misplaced = match (self.after, self.reading.misplaced()) {
            (SinceValue::Value(earlier), _) if !may_follow(format, UNKNOWN) => {
                Some((earlier, Misplaced::BeforeText))
            }
            (_, misplaced) => misplaced.map(|misplaced| (at, misplaced)),
        };
        let is_beside = matches!(misplaced, None | Some((_, Misplaced::AfterText | Misplaced::BeforeText)));
        let cause = self.cause;
        found.extend(misplaced.map(|(at, misplaced)| Finding { at, format, misplaced, cause }));
        self.after = if is_beside { SinceValue::Value(at) } else { SinceValue::Text };
        self.reading.value();
    }
}

/// Says whether a character may stand directly after a value.
fn may_follow(format: Format, c: char) -> bool {
    match format {
        Format::Docker => !matches!(c, '\'' | '"'),
        Format::Dotenv => "\n \t".contains(c),
        Format::Json => "\n\r \t,]});:<".contains(c),
        Format::Shell => "\n \t;)|&<>".contains(c),
        Format::Toml => "\n\r \t,].}=#".contains(c),
    }
}

/// Says whether a character may stand after a value and blanks.
fn may_follow_blanks(format: Format, c: char) -> bool {
    match format {
        Format::Docker => c != '#',
        // systemd would read a comment as a part of the value.
        Format::Dotenv => may_follow(format, c),
        Format::Json => c == '#' || may_follow(format, c),
        Format::Shell | Format::Toml => true,
    }
}
