//! Where a reader is in the text, by all ways in which a template may have led there.

use std::collections::BTreeSet;

use super::reader::{Reader, Reading};

/// The most ways that are followed. Different branches nearly always leave the same state.
pub(super) const MOST_WAYS: usize = 128;

/// It is no part of a text that begins with it.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// A character stands for what another expression prints: it is part of any word.
pub(super) const UNKNOWN: char = '\u{fffc}';

/// What is wrong with the place of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Misplaced {
    InsideQuotes,
    InComment,
    InHeredoc,
    InExpansion,
    AfterText,
    BeforeText,
    /// What it has written is not what is printed.
    Changed,
    /// What stands before it cannot be the name of a variable.
    Nameless,
    /// Readers disagree about the text before.
    Unclear,
}

/// One way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    reading: Reading,
    after: After,
}

/// What has been printed since the filter wrote something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum After {
    Text,
    /// Nothing. The offset is that of the expression with the filter.
    Nothing(usize),
    /// Blanks.
    Blanks(usize),
}

/// All ways.
#[derive(Clone, Debug)]
pub(super) struct States {
    reader: Reader,
    ways: BTreeSet<State>,
    are_too_many: bool,
}

/// What was found: by the offset of the expression with the filter.
type Found = Vec<(usize, Misplaced)>;

impl States {
    pub(super) fn at_start(reader: Reader) -> Self {
        let start = State { reading: Reading::at_start(reader), after: After::Text };
        Self { reader, ways: BTreeSet::from([start]), are_too_many: false }
    }

    /// No way leads here.
    pub(super) fn none(&self) -> Self {
        Self { ways: BTreeSet::new(), ..*self }
    }

    pub(super) fn count(&self) -> usize {
        self.ways.len()
    }

    /// There were more than are followed: not all are here.
    pub(super) fn are_too_many(&self) -> bool {
        self.are_too_many
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.are_too_many |= other.are_too_many;
        self.ways.extend(other.ways);
        self.limit();
    }

    pub(super) fn are_within(&self, others: &Self) -> bool {
        self.ways.is_subset(&others.ways)
    }

    fn limit(&mut self) {
        while self.ways.len() > MOST_WAYS {
            self.are_too_many = true;
            self.ways.pop_last();
        }
    }

    /// Reads a text.
    pub(super) fn text(&mut self, text: &str) -> Found {
        let mut found = Vec::new();
        let mut ways: Vec<_> = std::mem::take(&mut self.ways).into_iter().collect();
        for c in text.chars() {
            let others: Vec<_> =
                ways.iter_mut().filter_map(|way| way.character(self.reader, c, &mut found)).collect();
            ways.extend(others);
            if ways.len() > 1 {
                ways.sort_unstable();
                ways.dedup();
            }
            self.are_too_many |= ways.len() > MOST_WAYS;
            ways.truncate(MOST_WAYS);
        }
        self.ways = ways.into_iter().collect();
        found
    }

    /// Reads what is not known: it may be nothing.
    pub(super) fn unknown(&mut self) -> Found {
        let mut nothing = self.none();
        nothing.ways = self.ways.iter().map(State::with_nothing).collect();
        let found = self.text(UNKNOWN.encode_utf8(&mut [0; 4]));
        self.merge(nothing);
        found
    }

    /// Reads what the filter has written.
    pub(super) fn quoted(&mut self, offset: usize) -> Found {
        let mut found = Vec::new();
        let ways = std::mem::take(&mut self.ways).into_iter();
        let read = ways.map(|mut way| {
            way.quoted(self.reader, offset, &mut found);
            way
        });
        self.ways = read.collect();
        found
    }
}

impl State {
    fn character(&mut self, reader: Reader, c: char, found: &mut Found) -> Option<Self> {
        self.follow(reader, c, found);
        let after = self.after;
        self.reading.character(c).map(|reading| Self { reading, after })
    }

    /// Returns the same where something was printed that may be nothing.
    fn with_nothing(&self) -> Self {
        let mut state = self.clone();
        state.reading.nothing();
        state
    }

    /// Looks at what comes behind something that the filter has written.
    fn follow(&mut self, reader: Reader, c: char, found: &mut Found) {
        let is_blank = matches!(c, ' ' | '\t');
        let (offset, fits) = match self.after {
            After::Text => return,
            After::Nothing(offset) => (offset, reader.may_precede(c)),
            After::Blanks(offset) => (offset, reader.may_come_later(c)),
        };
        if !fits {
            found.push((offset, Misplaced::BeforeText));
        }
        self.after = if fits && is_blank { After::Blanks(offset) } else { After::Text };
    }

    fn quoted(&mut self, reader: Reader, offset: usize, found: &mut Found) {
        let misplaced = match (self.after, self.reading.misplaced()) {
            (After::Nothing(earlier), _) if !reader.may_precede(UNKNOWN) => {
                Some((earlier, Misplaced::BeforeText))
            }
            (_, misplaced) => misplaced.map(|misplaced| (offset, misplaced)),
        };
        let is_beside = matches!(misplaced, None | Some((_, Misplaced::AfterText | Misplaced::BeforeText)));
        found.extend(misplaced);
        self.after = if is_beside { After::Nothing(offset) } else { After::Text };
        self.reading.written();
    }
}
