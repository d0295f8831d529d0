//! Where a reader is in the text, by all ways in which a template may have led there.

use std::collections::BTreeSet;

use super::reader::{Open, Reader};

/// The most ways that are followed. Different branches nearly always leave the same state.
const MOST_WAYS: usize = 32;

/// How deep quotes and substitutions are followed.
const DEEPEST: usize = 64;

/// What is wrong with the place of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Misplaced {
    InsideQuotes,
    AfterText,
    BeforeText,
}

/// It is no part of the text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A character stands for what another expression prints: it is part of any word.
const UNKNOWN: char = '\u{fffc}';

/// One way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    open: Vec<Open>,
    is_escaped: bool,
    /// The two characters directly before.
    before: [char; 2],
    after: After,
    has_quoted: bool,
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
pub(super) struct States(BTreeSet<State>);

/// What was found: by the offset of the expression with the filter.
type Found = Vec<(usize, Misplaced)>;

impl States {
    pub(super) fn at_start() -> Self {
        let start = State {
            open: Vec::new(),
            is_escaped: false,
            before: ['\n', '\n'],
            after: After::Text,
            has_quoted: false,
        };
        Self(BTreeSet::from([start]))
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
        while self.0.len() > MOST_WAYS {
            self.0.pop_last();
        }
    }

    pub(super) fn are_within(&self, others: &Self) -> bool {
        self.0.is_subset(&others.0)
    }

    /// Says whether the filter has written something, by any way.
    pub(super) fn have_quoted(&self) -> bool {
        self.0.iter().any(|state| state.has_quoted)
    }

    /// Reads a text.
    pub(super) fn text(&mut self, reader: Reader, text: &str) -> Found {
        self.step(|state, found| text.chars().for_each(|c| state.character(reader, c, found)))
    }

    /// Reads what is not known.
    pub(super) fn unknown(&mut self, reader: Reader) -> Found {
        self.step(|state, found| {
            state.follow(reader, UNKNOWN, found);
            state.before = [UNKNOWN, UNKNOWN];
            state.is_escaped = false;
        })
    }

    /// Reads what the filter has written.
    pub(super) fn quoted(&mut self, reader: Reader, offset: usize) -> Found {
        self.step(|state, found| state.quoted(reader, offset, found))
    }

    fn step(&mut self, mut read: impl FnMut(&mut State, &mut Found)) -> Found {
        let mut found = Vec::new();
        let states = std::mem::take(&mut self.0).into_iter();
        self.0 = states
            .map(|mut state| {
                read(&mut state, &mut found);
                state
            })
            .collect();
        found
    }
}

impl State {
    fn character(&mut self, reader: Reader, c: char, found: &mut Found) {
        if c == BYTE_ORDER_MARK {
            return;
        }
        self.follow(reader, c, found);
        let open = self.open.last().copied();
        if std::mem::take(&mut self.is_escaped) {
            // A line that goes on in the next one is a blank to a shell.
            self.before = [UNKNOWN, if c == '\n' { ' ' } else { UNKNOWN }];
            return;
        }
        if c == '\\' && reader.escapes(open) {
            self.is_escaped = true;
        } else if let Some(open) = open {
            self.inside(reader, open, c);
        } else if let Some(opened) = reader.opens(c, self.before) {
            self.open.push(opened);
        }
        self.before = [self.before[1], c];
    }

    fn inside(&mut self, reader: Reader, open: Open, c: char) {
        // Three quotes of TOML read as an empty string and a third quote: what is between them is inside quotes all the same.
        if reader.closes(open, c) {
            self.open.pop();
        } else if let Some(opened) = reader.opens_inside(open, c, self.before)
            && self.open.len() < DEEPEST
        {
            self.open.push(opened);
        }
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
        if self.open.last() != Some(&Open::Comment) {
            let is_inside = self.open.last().is_some_and(|open| open.quotes());
            let earlier = self.after;
            let is_beside = self.is_escaped || !reader.may_follow(self.before[1]);
            self.after = After::Nothing(offset);
            match earlier {
                _ if is_inside => {
                    found.push((offset, Misplaced::InsideQuotes));
                    self.after = After::Text;
                }
                After::Nothing(earlier) if !reader.may_precede(UNKNOWN) => {
                    found.push((earlier, Misplaced::BeforeText))
                }
                _ if is_beside => found.push((offset, Misplaced::AfterText)),
                _ => {}
            }
        }
        self.has_quoted = true;
        self.is_escaped = false;
        self.before = [UNKNOWN, UNKNOWN];
    }
}
