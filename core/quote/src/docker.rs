//! Follows a file for `docker run --env-file`: lines of `NAME=VALUE`. Docker has no quotes, so a value inside quotes is
//! reported.

use crate::Misplaced;
use crate::UNKNOWN;
use crate::name::Name;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Comment,
    Quote(char),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Docker {
    open: Open,
    before: char,
    /// The line has only blanks so far.
    is_blank: bool,
    name: Name,
    /// The line has unknown text, which may contain a name and `=`.
    is_unknown: bool,
}

impl Docker {
    pub(super) fn at_start() -> Self {
        Self { open: Open::Nothing, before: '\n', is_blank: true, name: Name::default(), is_unknown: false }
    }

    pub(super) fn misplaced(&self) -> Option<Misplaced> {
        match self.open {
            Open::Comment => Some(Misplaced::InComment),
            Open::Quote(_) => Some(Misplaced::InsideQuotes),
            Open::Nothing if matches!(self.before, '\'' | '"') => Some(Misplaced::InsideQuotes),
            Open::Nothing if self.is_unknown && !self.name.has_ended() => None,
            Open::Nothing => (!self.name.is_plain()).then_some(Misplaced::Nameless),
        }
    }

    pub(super) fn character(&mut self, c: char) {
        self.open = match self.open {
            _ if c == '\n' => Open::Nothing,
            Open::Quote(quote) if c == quote => Open::Nothing,
            Open::Nothing if c == '#' && self.is_blank => Open::Comment,
            Open::Nothing if matches!(c, '\'' | '"') && self.before == '=' => Open::Quote(c),
            _ => return self.read(c),
        };
        self.read(c);
    }

    fn read(&mut self, c: char) {
        self.before = c;
        self.name.read(c);
        self.is_unknown = c != '\n' && (self.is_unknown || c == UNKNOWN);
        self.is_blank = c == '\n' || self.is_blank && c.is_whitespace();
    }
}
