//! How systemd reads a file for `EnvironmentFile=`: a comment is a line of its own, and a `\` at the end of any line but a name's
//! joins the next one to it.
//!
//! The states are those of `parse_env_file_internal` in `src/basic/env-file.c` of systemd 252. Later versions end a comment where its
//! line ends, as a shell does.

use crate::Misplaced;
use crate::name::Name;

/// Where systemd is in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Start,
    Name,
    /// Behind a `=` that has no name before it, as far as that is known.
    NoName,
    /// A quote may open here: behind `=`, or behind a quote that was closed.
    Open,
    Value,
    Single,
    Double,
    Comment,
}

/// Where systemd is in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Systemd {
    at: At,
    is_escaped: bool,
    name: Name,
    before: char,
    /// Other readers find other lines in the file.
    pub(super) is_unclear: bool,
}

impl Systemd {
    pub(super) fn at_start() -> Self {
        Self { at: At::Start, is_escaped: false, name: Name::default(), before: '\n', is_unclear: false }
    }

    /// Says what is wrong with quotes that open here.
    pub(super) fn misplaced(&self) -> Option<Misplaced> {
        match self.at {
            _ if self.is_unclear => Some(Misplaced::Unclear),
            At::Open | At::NoName if !self.is_escaped => {
                (!self.name.is_variable()).then_some(Misplaced::Nameless)
            }
            _ => Some(Misplaced::Unclear),
        }
    }

    pub(super) fn character(&mut self, c: char) {
        // A line that a shell joins with the next one may be two to others, and a carriage return may end one.
        self.is_unclear |= c == '\r' || c == '\n' && self.before == '\\';
        self.before = c;
        if std::mem::take(&mut self.is_escaped) {
            return;
        }
        self.name.read(c);
        self.is_escaped = c == '\\' && matches!(self.at, At::Open | At::Value | At::Double | At::Comment);
        self.at = match (self.at, c) {
            (At::Name | At::NoName | At::Open | At::Value | At::Comment, '\n') => At::Start,
            (At::Start, '=') => At::NoName,
            (At::Name | At::NoName, '=') | (At::Single, '\'') | (At::Double, '"') => At::Open,
            (At::Open, ' ' | '\t') => At::Open,
            (At::Open, '\'') => At::Single,
            (At::Open, '"') => At::Double,
            (At::Open, _) => At::Value,
            (At::Start, '#' | ';') => At::Comment,
            (At::Start, ' ' | '\t' | '\n') => At::Start,
            (At::Start | At::NoName, _) => At::Name,
            (at, _) => at,
        };
    }
}
