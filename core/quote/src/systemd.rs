//! Follows a file as systemd reads it for `EnvironmentFile=`. A comment has a line of its own. A `\` at the end of a
//! line joins the next line to it, except in the line of a name.
//!
//! The states are those of `parse_env_file_internal` in `src/basic/env-file.c` of systemd 252. In later versions, a
//! comment ends with its line, as in a shell.

use crate::Misplaced;
use crate::name::Name;
use crate::write::is_noncharacter;

/// The position of systemd in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Start,
    Name,
    /// After a `=` that has no known name before it.
    NoName,
    /// After `=`, or after a closed quote: a quote may open here.
    Open,
    Value,
    Single,
    Double,
    Comment,
}

/// The state of systemd in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Systemd {
    at: At,
    is_escaped: bool,
    name: Name,
    before: char,
    /// Other readers see other lines in the file.
    pub(super) is_unclear: bool,
}

impl Systemd {
    pub(super) fn at_start() -> Self {
        Self { at: At::Start, is_escaped: false, name: Name::default(), before: '\n', is_unclear: false }
    }

    /// Returns the reason why quotes must not open here.
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
        // Other readers may see two lines where a shell joins them, and may end a line at a carriage return. systemd ignores
        // a file with a noncharacter.
        self.is_unclear |= c == '\r' || c == '\n' && self.before == '\\' || is_noncharacter(c);
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
