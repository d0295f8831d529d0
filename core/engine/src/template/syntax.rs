//! Lets minijinja read a template. Says what is wrong with its syntax, and what can be relied on all the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::brackets::Opening;
use super::error::{Fault, TemplateError};
use super::lexer::Scan;
use super::limits::LONGEST;
use super::sandbox::Sandbox;
use super::token::{Kind, Token};
use super::{blocks, parser};
use crate::position::Position;

/// What came of it.
pub(super) struct Syntax {
    /// The variables that nothing declares, as far as the template can be read.
    pub(super) undeclared: BTreeSet<String>,
    pub(super) fault: Option<SyntaxFault>,
}

/// What is wrong with the syntax.
pub(super) enum SyntaxFault {
    /// Blocks that are never closed. Everything in the template can be read.
    Open(Vec<Opening>),
    /// What comes from here on may be misread.
    Broken(TemplateError),
}

/// Reads a template.
pub(super) fn check(text: &Arc<str>, scan: &Scan<'_>, sandbox: &Sandbox) -> Syntax {
    let (undeclared, refused) = match undeclared(Arc::clone(text), sandbox) {
        Ok(undeclared) => (undeclared, None),
        // The parser of minijinja panics at what is never closed behind the 65,535th column, in debug builds.
        Err(error) if error.fault == Fault::Panicked && scan.stopped.is_some() => (BTreeSet::new(), None),
        Err(error) => (BTreeSet::new(), Some(error)),
    };
    // Of two errors in the same place ours comes first: it says more.
    let Some(error) = first([scan.stopped.clone(), refused]) else {
        return Syntax { undeclared, fault: None };
    };
    let open = blocks::open_in(&scan.tokens);
    if scan.stopped.is_none()
        && let Ok(open) = &open
        && let Some(undeclared) = read_closed(text, open, sandbox)
    {
        return Syntax { undeclared, fault: Some(SyntaxFault::Open(open.clone())) };
    }
    let error = first([open.err(), Some(error.clone())]).unwrap_or(error);
    let undeclared = undeclared_before(error.place, text, &scan.tokens, sandbox).unwrap_or_default();
    Syntax { undeclared, fault: Some(SyntaxFault::Broken(error)) }
}

fn first(errors: [Option<TemplateError>; 2]) -> Option<TemplateError> {
    errors.into_iter().flatten().min_by_key(|error| error.place)
}

/// Reads the tags that end before a place, as if nothing else were there.
fn undeclared_before(
    place: Position,
    text: &str,
    tokens: &[Token<'_>],
    sandbox: &Sandbox,
) -> Option<BTreeSet<String>> {
    let tags = tags_before(place, tokens);
    read_closed(text.get(..tags.last()?.end)?, &blocks::open_in(tags).ok()?, sandbox)
}

/// Reads a text whose blocks are closed by us.
fn read_closed(text: &str, open: &[Opening], sandbox: &Sandbox) -> Option<BTreeSet<String>> {
    let ends = open.iter().rev().map(|opening| opening.close);
    // A brace at the end of the text would belong to the tag after it.
    let closed: String = [text, "\n"].into_iter().chain(ends).collect();
    undeclared(closed.into(), sandbox).ok()
}

/// Lets minijinja name the variables that it does not find declared.
fn undeclared(text: Arc<str>, sandbox: &Sandbox) -> Result<BTreeSet<String>, TemplateError> {
    sandbox.run(LONGEST, move |_| parser::undeclared(&text)).map_err(TemplateError::at_start).flatten()
}

/// Returns the words of the tags that end before a place.
pub(super) fn tags_before<'a, 't>(place: Position, tokens: &'a [Token<'t>]) -> &'a [Token<'t>] {
    let before = tokens.get(..tokens.partition_point(|token| token.place < place)).unwrap_or_default();
    let end = before.iter().rposition(|token| token.kind == Kind::Close).map_or(0, |last| last + 1);
    before.get(..end).unwrap_or_default()
}
