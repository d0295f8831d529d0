//! What must be closed, and what is said where it is not.

use super::error::{Fault, TemplateError};
use super::token::{Kind, Token};
use crate::position::Position;

const BRACKETS: [(&str, &str); 3] = [("(", ")"), ("[", "]"), ("{", "}")];

/// Something that must be closed, and where it is opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    pub(super) place: Position,
    pub(super) open: &'static str,
    pub(super) close: &'static str,
}

impl Opening {
    pub(super) fn not_closed(self) -> TemplateError {
        let Self { place, open, close } = self;
        TemplateError { place, fault: Fault::NotClosed { open, close } }
    }
}

/// Says why a tag with these words does not end: for a bracket in it, or for itself.
pub(super) fn never_ends(tag: Opening, words: &[Token<'_>]) -> TemplateError {
    let mut openings = Vec::new();
    for word in words {
        let Kind::Symbol(symbol) = word.kind else { continue };
        if let Some((open, close)) = BRACKETS.into_iter().find(|(open, _)| *open == symbol) {
            openings.push(Opening { place: word.place, open, close });
        } else if let Some((_, close)) = BRACKETS.into_iter().find(|(_, close)| *close == symbol) {
            match openings.pop() {
                None => return TemplateError { place: word.place, fault: Fault::ClosesNothing(close) },
                Some(innermost) if innermost.close != close => return innermost.not_closed(),
                Some(_) => {}
            }
        }
    }
    openings.pop().unwrap_or(tag).not_closed()
}
