//! minijinja's parser, and its errors in words of ours.

use minijinja::machinery::ast::Stmt;
use minijinja::machinery::{parse as parse_text, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Error, ErrorKind};

use super::error::{Fault, TemplateError};
use secretdir_helpers::Position;

/// The most words in the tags of a template. Whoever walks what was read does so by recursion, and a chain of operators is nested.
const MOST_WORDS: usize = 20_000;

/// Reads a template.
pub(super) fn parse(text: &str) -> Result<Stmt<'_>, TemplateError> {
    let read = || {
        let words = tokenize(text, false, syntax()?).take(MOST_WORDS + 1);
        if words.count() > MOST_WORDS {
            return Ok(Err(TemplateError::at_start(Fault::TooManyWords { most: MOST_WORDS })));
        }
        parse_text(text, "", syntax()?).map(Ok)
    };
    read().unwrap_or_else(|error: Error| Err(syntax_error(&error, text)))
}

fn syntax() -> Result<SyntaxConfig, Error> {
    SyntaxConfig::builder().keep_trailing_newline(true).build()
}

/// Says in our words what is wrong with a template that cannot be read. No value has been there, so that minijinja's
/// own words quote the template at most.
fn syntax_error(error: &Error, template: &str) -> TemplateError {
    let detail = match error.kind() {
        ErrorKind::BadEscape => {
            r"a text in quotes near here has a `\` that begins no escape; write `\\` for the character"
        }
        _ => error.detail().unwrap_or("this cannot be read"),
    };
    TemplateError { place: place(error, template), fault: Fault::Syntax(detail.to_owned()) }
}

fn place(error: &Error, template: &str) -> Position {
    match (error.range(), error.line()) {
        (Some(range), _) => Position::of(template, range.start),
        (None, Some(line)) => Position { line, column: 1 },
        (None, None) => Position::START,
    }
}
