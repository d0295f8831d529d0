//! minijinja's parser, and its errors in words of ours.

use std::collections::BTreeSet;

use minijinja::machinery::ast::Stmt;
use minijinja::machinery::parse as parse_text;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind};

use super::error::{Fault, TemplateError};
use crate::position::Position;

/// Reads a template.
pub(super) fn parse(text: &str) -> Result<Stmt<'_>, TemplateError> {
    let read = || parse_text(text, "", syntax()?);
    read().map_err(|error| syntax_error(&error, text))
}

/// Reads a template, and names the variables that it uses without an assignment before.
pub(super) fn undeclared(text: &str) -> Result<BTreeSet<String>, TemplateError> {
    let read = || {
        let mut environment = Environment::empty();
        environment.set_syntax(syntax()?);
        let template = environment.template_from_str(text)?;
        Ok(template.undeclared_variables(false).into_iter().collect())
    };
    read().map_err(|error| syntax_error(&error, text))
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
