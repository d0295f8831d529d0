//! minijinja's parser, with our own messages for its errors.

use minijinja::machinery::ast::Stmt;
use minijinja::machinery::{parse as parse_text, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Error, ErrorKind};

use super::error::{Fault, TemplateError};
use secretdir_helpers::Position;

/// The maximum number of words in the tags of a template. The syntax tree is walked by recursion, and a chain of operators is nested.
const MOST_WORDS: usize = 20_000;

/// The names of all statements.
pub(super) const STATEMENTS: [&str; 8] = ["elif", "else", "filter", "for", "if", "raw", "set", "with"];

/// minijinja's message for a block that is not closed.
const OPEN_BLOCK: &str = "unexpected end of input, expected end of block";

/// minijinja's message for a comment that is not closed.
const OPEN_COMMENT: &str = "unexpected end of comment";

/// Parses a template.
pub(super) fn parse(text: &str) -> Result<Stmt<'_>, TemplateError> {
    let read = || {
        // The tokenizer repeats an error for ever, so stop at the first. The parser reports it.
        let words = tokenize(text, false, syntax()?).take_while(Result::is_ok).take(MOST_WORDS + 1);
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

/// Makes the error for a template with wrong syntax. No value was involved, so a message of minijinja can quote only the template.
fn syntax_error(error: &Error, template: &str) -> TemplateError {
    let statement = error.detail().and_then(|detail| detail.strip_prefix("unknown statement "));
    if let Some(name) = statement.filter(|name| !STATEMENTS.contains(name) && !name.starts_with("end")) {
        let fault = Fault::unknown("statement", name, &STATEMENTS);
        return TemplateError { place: place(error, template), fault };
    }
    let detail = match error.kind() {
        _ if statement.is_some() => {
            "this does not belong to the block that is open here: an inner block is not closed, or none is open"
        }
        _ if error.detail() == Some(OPEN_BLOCK) => {
            "a block is not closed: each `if`, `for`, `with`, `filter`, and `set` without `=`, has its `{% end… %}`"
        }
        _ if error.detail() == Some(OPEN_COMMENT) => {
            "a comment is not closed; if `{#` is meant as text, as in `${#x}` of a shell, put `{% raw %}` before it and `{% endraw %}` behind it"
        }
        ErrorKind::BadEscape => {
            r"a text in quotes near here has a `\` that begins no escape; write `\\` for the character"
        }
        _ => error.detail().unwrap_or("this cannot be read"),
    };
    let place = match error.detail() {
        Some(OPEN_COMMENT) => comment(template).unwrap_or_else(|| place(error, template)),
        _ => place(error, template),
    };
    TemplateError { place, fault: Fault::Syntax(detail.to_owned()) }
}

/// Returns where the unclosed comment begins: behind the last word.
fn comment(template: &str) -> Option<Position> {
    let words = tokenize(template, false, syntax().ok()?).map_while(Result::ok);
    let end = words.last().map_or(Some(0), |(_, span)| usize::try_from(span.end_offset).ok())?;
    let start = template.get(end..)?.find("{#")?;
    Some(Position::of(template, end + start))
}

fn place(error: &Error, template: &str) -> Position {
    match (error.range(), error.line()) {
        (Some(range), _) => Position::of(template, range.start),
        (None, Some(line)) => Position { line, column: 1 },
        (None, None) => Position::START,
    }
}
