//! Follows a TOML file: its four kinds of strings, and comments.

use crate::Misplaced;
use crate::{BYTE_ORDER_MARK, UNKNOWN};

/// The open construct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Comment,
    /// A string of one line, or the first quote of any string.
    Line {
        quote: char,
        is_empty: bool,
    },
    /// Two quotes: an empty string, or the start of a string of several lines.
    Two(char),
    /// A string of several lines, and the number of quotes directly before.
    Lines {
        quote: char,
        quotes: u8,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Toml {
    open: Open,
    is_escaped: bool,
    before: char,
}

impl Toml {
    pub(super) fn at_start() -> Self {
        Self { open: Open::Nothing, is_escaped: false, before: '\n' }
    }

    pub(super) fn misplaced(&self) -> Option<Misplaced> {
        match self.open {
            Open::Nothing if " \t\r\n=[,.{".contains(self.before) => None,
            Open::Nothing | Open::Two(_) | Open::Lines { quotes: 3.., .. } => Some(Misplaced::AfterText),
            Open::Comment => Some(Misplaced::InComment),
            Open::Line { .. } | Open::Lines { .. } => Some(Misplaced::InsideQuotes),
        }
    }

    pub(super) fn character(&mut self, c: char) {
        if c == BYTE_ORDER_MARK && self.before == '\n' {
            return;
        }
        if std::mem::take(&mut self.is_escaped) {
            self.before = UNKNOWN;
            return;
        }
        self.open = match self.open {
            Open::Nothing => opened(c),
            Open::Comment if c == '\n' => Open::Nothing,
            Open::Comment => Open::Comment,
            Open::Two(quote) if c == quote => Open::Lines { quote, quotes: 0 },
            Open::Two(_) => opened(c),
            Open::Line { quote, is_empty: true } if c == quote => Open::Two(quote),
            Open::Line { quote, .. } if c == quote => Open::Nothing,
            Open::Line { quote, .. } => {
                self.is_escaped = quote == '"' && c == '\\';
                Open::Line { quote, is_empty: false }
            }
            // Two quotes may stand directly before the closing three.
            Open::Lines { quote, quotes: 4 } if c == quote => Open::Nothing,
            Open::Lines { quote, quotes } if c == quote => Open::Lines { quote, quotes: quotes + 1 },
            Open::Lines { quotes: 3.., .. } => opened(c),
            Open::Lines { quote, .. } => {
                self.is_escaped = quote == '"' && c == '\\';
                Open::Lines { quote, quotes: 0 }
            }
        };
        self.before = c;
    }
}

fn opened(c: char) -> Open {
    match c {
        '#' => Open::Comment,
        '\'' | '"' => Open::Line { quote: c, is_empty: true },
        _ => Open::Nothing,
    }
}
