//! The words that the tags of a template are made of.

use crate::position::Position;

/// A word of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    pub(super) place: Position,
    /// The offset of what comes after it.
    pub(super) end: usize,
}

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    /// `{{`
    Expression,
    /// `{%`
    Statement,
    /// `}}` or `%}`
    Close,
    Name(&'t str),
    /// With its quotes, and escapes as they are written.
    Text(&'t str),
    Number,
    Symbol(&'t str),
}
