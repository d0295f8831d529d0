//! Follows a file for all its readers, by all ways in which it may have been written so far.
//!
//! A file that is written has one way. One that is only checked has more: each branch of an `if` is one. They are followed beside
//! each other and nearly always meet again, since different branches leave a reader in the same state.

use crate::reading::Reading;
use crate::{Format, Misplaced, UNKNOWN};

/// The most ways of one reader. Of branches, further ones are dropped: whoever writes the file takes one of them. But a text that can
/// be read in more ways is clear to nobody.
const MOST_WAYS: usize = 64;

/// Something that stands where its reader misunderstands it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What was given for it.
    pub at: usize,
    /// Who misunderstands it.
    pub format: Format,
    /// Why.
    pub misplaced: Misplaced,
    /// Where the text is that makes it [`Misplaced::Unclear`].
    pub cause: Option<usize>,
}

/// The readers of a file, and where each of them is.
#[derive(Clone, Debug)]
pub struct Readers(Vec<(Format, Vec<Way>)>);

/// Where a reader is by one way.
#[derive(Clone, Debug, PartialEq)]
struct Way {
    reading: Reading,
    after: After,
    /// Where the text is behind which nothing is clear.
    cause: Option<usize>,
}

/// What has been written since a value was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Text,
    /// Nothing. The number is that of the value.
    Value(usize),
    /// Blanks.
    Blanks(usize),
    /// Other text of the same line, to a reader for which the value goes on to the end of the line.
    Rest(usize),
}

impl Readers {
    /// Returns readers at the start of a file.
    pub fn at_start(formats: &[Format]) -> Self {
        let start = |format: &Format| {
            (*format, vec![Way { reading: Reading::at_start(*format), after: After::Text, cause: None }])
        };
        Self(formats.iter().map(start).collect())
    }

    /// Returns how many characters they read for one that is written.
    pub fn count(&self) -> usize {
        self.0.iter().map(|(_, ways)| ways.len()).sum()
    }

    /// Reads a text, each byte of which has a number under which it is to be found.
    pub fn text(&mut self, text: &str, at: impl Fn(usize) -> usize, found: &mut Vec<Finding>) {
        // What stands for unknown text here is a character like others there.
        let known = |c| if c == UNKNOWN { char::REPLACEMENT_CHARACTER } else { c };
        self.characters(text.char_indices().map(|(index, c)| (at(index), known(c))), found);
    }

    fn characters(&mut self, text: impl Iterator<Item = (usize, char)> + Clone, found: &mut Vec<Finding>) {
        for (format, ways) in &mut self.0 {
            for (at, c) in text.clone() {
                let others: Vec<_> =
                    ways.iter_mut().filter_map(|way| way.character(*format, (at, c), found)).collect();
                if !others.is_empty() && !join(ways, others) {
                    ways.iter_mut().for_each(|way| way.reading.give_up());
                }
            }
        }
    }

    /// Reads a part of a word that is not known.
    pub fn unknown(&mut self, at: usize, found: &mut Vec<Finding>) {
        self.characters(std::iter::once((at, UNKNOWN)), found);
    }

    /// Reads what was written for one of them, by the number under which it is to be found. To the others it is a text, if it is
    /// known.
    pub fn value(&mut self, format: Format, text: Option<&str>, at: usize, found: &mut Vec<Finding>) {
        for reader in &mut self.0 {
            if reader.0 == format {
                reader.1.iter_mut().for_each(|way| way.value(format, at, found));
                continue;
            }
            let mut one = Self(vec![std::mem::replace(reader, (format, Vec::new()))]);
            match text {
                Some(text) => one.text(text, |_| at, found),
                None => one.unknown(at, found),
            }
            one.0.pop().into_iter().for_each(|one| *reader = one);
        }
    }

    /// Takes in the ways of another file that had the same beginning.
    pub fn merge(&mut self, other: Self) {
        for ((_, ways), (_, others)) in self.0.iter_mut().zip(other.0) {
            join(ways, others);
        }
    }
}

/// Adds ways that are new. Says whether there is room for all.
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
    /// Reads a character. Returns the other way in which it can be read, if there is one.
    fn character(
        &mut self,
        format: Format,
        (at, c): (usize, char),
        found: &mut Vec<Finding>,
    ) -> Option<Self> {
        let is_blank = matches!(c, ' ' | '\t');
        let (value, fits) = match self.after {
            After::Text => (None, true),
            After::Value(value) => (Some(value), may_follow(format, c)),
            After::Blanks(value) => (Some(value), may_follow_blanks(format, c)),
            After::Rest(value) => (Some(value), true),
        };
        let misplaced = value.filter(|_| !fits).map(|value| (value, Misplaced::BeforeText));
        found.extend(misplaced.map(|(at, misplaced)| Finding { at, format, misplaced, cause: None }));
        self.after = match value.filter(|_| fits) {
            Some(value) if is_blank => After::Blanks(value),
            Some(value) if format == Format::Docker && c != '\n' => After::Rest(value),
            _ => After::Text,
        };
        let other = self.reading.character(c);
        if self.cause.is_none() && self.reading.is_unclear() {
            self.cause = Some(at);
        }
        other.map(|reading| Self { reading, ..*self })
    }

    fn value(&mut self, format: Format, at: usize, found: &mut Vec<Finding>) {
        let misplaced = match (self.after, self.reading.misplaced()) {
            (After::Value(earlier), _) if !may_follow(format, UNKNOWN) => {
                Some((earlier, Misplaced::BeforeText))
            }
            (_, misplaced) => misplaced.map(|misplaced| (at, misplaced)),
        };
        let is_beside = matches!(misplaced, None | Some((_, Misplaced::AfterText | Misplaced::BeforeText)));
        let cause = self.cause;
        found.extend(misplaced.map(|(at, misplaced)| Finding { at, format, misplaced, cause }));
        self.after = if is_beside { After::Value(at) } else { After::Text };
        self.reading.value();
    }
}

/// Says whether a character may stand directly behind a value.
fn may_follow(format: Format, c: char) -> bool {
    match format {
        Format::Docker => !matches!(c, '\'' | '"'),
        Format::Dotenv => "\n \t".contains(c),
        Format::Json => "\n\r \t,]});:<".contains(c),
        Format::Shell => "\n \t;)|&<>".contains(c),
        Format::Toml => "\n\r \t,].}=#".contains(c),
    }
}

/// Says whether a character may stand behind blanks behind a value.
fn may_follow_blanks(format: Format, c: char) -> bool {
    match format {
        Format::Docker => c != '#',
        // A comment would be a part of the value to systemd.
        Format::Dotenv => may_follow(format, c),
        Format::Json => c == '#' || may_follow(format, c),
        Format::Shell | Format::Toml => true,
    }
}
